"""What people said is kept beside the detector, and read by whoever looks with it."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import FeedbackError
from app.feedback.verdicts import FEEDBACK, VERSION, Leak, Verdicts
from tests.app.feedback.verdicts import a_vector, a_verdict


def test_a_verdict_comes_back_as_it_was_said(tmp_path: Path):
    verdicts = Verdicts(tmp_path)
    assert verdicts.all() == []
    assert [*tmp_path.iterdir()] == []
    said = replace(a_verdict(30, keep_s=60.0), note="the neighbour's", said_us=5)
    number = verdicts.add(said)
    leak = Leak(9, ("cup", "cup"), "mug")
    verdicts.measured(number, 0.75, leak)
    verdicts.matched(number, 7_000_000)
    verdicts.matched(number, 6_000_000)
    (kept,) = Verdicts(tmp_path).all()
    assert np.allclose(kept.vector, a_vector(30), atol=1e-3)
    assert (kept.number, kept.note, kept.said_us, kept.likeness) == (1, said.note, 5, 0.75)
    assert (kept.matches, kept.matched_us, kept.leak) == (
        2,
        7_000_000,
        Leak(9, ("cup", "cup"), "mug"),
    )
    assert kept.until_us == 67_000_000
    assert (kept.holds(67_000_000), kept.holds(67_000_001)) == (True, False)
    assert kept.as_json()["leak"] == {"others": 9, "silenced": ["cup", "cup"], "same": "mug"}
    verdicts.forget(number)
    assert verdicts.all() == []
    # Events may still tell of it.
    assert verdicts.add(said) == 2


def test_several_may_write_at_once(tmp_path: Path):
    def say(degrees: int) -> int:
        return Verdicts(tmp_path).add(a_verdict(degrees))

    with ThreadPoolExecutor(8) as threads:
        numbers = [*threads.map(say, range(24))]
    assert sorted(numbers) == [*range(1, 25)]
    assert len(Verdicts(tmp_path).all()) == 24


def test_a_file_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path):
    (tmp_path / FEEDBACK).write_text("no database, but more than a hundred bytes long " * 9)
    with pytest.raises(FeedbackError, match=rf"{FEEDBACK}: cannot be used: file is not a database"):
        Verdicts(tmp_path).all()


def test_a_file_of_a_newer_nomaly_is_left_alone(tmp_path: Path):
    Verdicts(tmp_path).add(a_verdict(0))
    with closing(sqlite3.connect(tmp_path / FEEDBACK)) as database:
        database.execute(f"PRAGMA user_version={VERSION + 1}")
    with pytest.raises(FeedbackError, match="written by a newer Nomaly"):
        Verdicts(tmp_path).all()


def test_what_an_earlier_nomaly_kept_is_kept(tmp_path: Path):
    Verdicts(tmp_path).add(a_verdict(0))
    with closing(sqlite3.connect(tmp_path / FEEDBACK)) as database:
        database.execute("DROP TABLE quiet")
        database.execute("ALTER TABLE verdict DROP COLUMN same")
        database.execute("PRAGMA user_version=1")
    (kept,) = Verdicts(tmp_path).all()
    Verdicts(tmp_path).measured(kept.number, 1.0, Leak(1, (), "mug"))
    assert Verdicts(tmp_path).all()[0].leak == Leak(1, (), "mug")
