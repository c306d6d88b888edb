"""A running watch keeps its store within the rule."""

import threading
from pathlib import Path

from app.events.retaining import retaining
from app.events.retention import RetentionRule
from tests.app.events.test_giving_up import MONTH, dated, days_of, filled


def test_what_is_too_old_goes_beside_the_watch_and_is_said_once(tmp_path: Path):
    filled(tmp_path, *(dated(day) for day in range(3)))
    said, told = [], threading.Event()

    def say(text: str) -> None:
        said.append(text)
        told.set()

    with retaining(tmp_path, MONTH, say, first_s=0, every_s=0.01):
        assert told.wait(10)
    (text,) = said
    assert text.startswith(f"{tmp_path}: 3 events, 9 files (")
    assert days_of(tmp_path) == []


def test_without_a_rule_all_is_kept(tmp_path: Path):
    filled(tmp_path, dated(0))
    with retaining(tmp_path, None, print, first_s=0):
        pass
    assert days_of(tmp_path) == [0]


def test_that_too_much_is_left_and_that_it_cannot_be_done_is_said(tmp_path: Path):
    filled(tmp_path, dated(0))
    said, heard = [], threading.Event()

    def say(text: str) -> None:
        said.append(text)
        heard.set()

    rule = RetentionRule(days=None, gigabytes=1e-9)
    with retaining(tmp_path, rule, say, first_s=0, every_s=60):
        assert heard.wait(10)
        while len(said) < 2:
            heard.wait(0.01)
    assert "more than may be kept are left" in said[1]
