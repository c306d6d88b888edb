"""What was bet against a calibration, in the store."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.events import bets as kept_bets
from app.events.backlog import Backlog
from app.events.bets import Bet
from app.events.store import Store
from tests.app.events.findings import begin, changes


def bet(at_s: float, uri: str = "a.mp4", calibration: str = "c" * 64) -> Bet:
    return Bet(uri, calibration, at_s, round(1e6 * at_s), 7, 2.5 + at_s, 120.25)


def test_bets_come_back_in_their_order_by_their_calibration(tmp_path: Path):
    one, two, other = bet(60.0), bet(5.0, "b.mp4"), bet(70.0, calibration="d" * 64)
    with Store(tmp_path) as store:
        run_id = begin(store)
        store.save(run_id, replace(changes(), bets=[one, other]))
        store.save(run_id, replace(changes(), bets=[two]))
        assert store.bets(run_id, "c" * 64) == [one, two]
        assert store.bets(run_id, "d" * 64) == [other]
        assert store.bets(run_id + 1, "c" * 64) == []
    with Store(tmp_path) as store:
        assert store.bets(run_id, "c" * 64) == [one, two]


def test_what_is_looked_at_again_is_bet_on_again(tmp_path: Path):
    kept = [bet(10.0), bet(20.0), bet(99.0, "b.mp4")]
    with Store(tmp_path) as store:
        run_id = begin(store)
        store.save(run_id, replace(changes(), bets=[*kept, bet(20.5)]))
        with store.saving():
            store.go_back(run_id, "a.mp4", 20.0)
        assert store.bets(run_id, "c" * 64) == kept


def test_bets_that_wait_for_a_disk_are_kept_when_changes_are_joined():
    backlog = Backlog()
    for at_s in (1.0, 2.0, 3.0):
        backlog.add(1, replace(changes(), bets=[bet(at_s)]))
    backlog.thin()
    _, joined = backlog.take()
    assert not backlog
    assert joined.bets == (bet(1.0), bet(2.0), bet(3.0))


def kept(folder: Path, count: int, back_to_s: float) -> Sequence[Bet]:
    """What is left of so many bets in periods of ten, once an audit went back."""
    with Store(folder) as store:
        run_id = begin(store)
    with sqlite3.connect(folder / "events.sqlite") as database:
        for number in range(1, count + 1):
            kept_bets.save(database, run_id, [bet(float(number))], period=10)
        kept_bets.drop_since(database, run_id, "a.mp4", back_to_s)
        return kept_bets.read(database, run_id, "c" * 64, period=10)


@pytest.mark.parametrize(
    ("count", "back_to_s", "first", "newest"),
    [
        (9, 99, 1, 1),
        (10, 99, 1, 1),
        (11, 99, 1, 11),
        (20, 99, 1, 11),
        (21, 99, 11, 21),
        (95, 99, 81, 91),
        (21, 20, 11, 11),
        (21, 18, 11, 11),
        (5, 0, None, None),
    ],
)
def test_two_periods_are_kept_at_most_and_the_newest_is_bet_again(
    tmp_path: Path, count: int, back_to_s: float, first: int | None, newest: int | None
):
    left = kept(tmp_path, count, back_to_s)
    again = kept_bets.newest(left, period=10)
    assert len(left) <= 20
    assert [one.at_s for one in left[:1]] == [first] * (first is not None)
    assert [one.at_s for one in again[:1]] == [newest] * (newest is not None)
    assert [one.at_s for one in left[-1:]] == [min(count, back_to_s)] * (first is not None)


def test_bets_that_are_read_back_share_their_texts(tmp_path: Path):
    left = kept(tmp_path, 5, 99)
    assert len({id(one.uri) for one in left}) == len({id(one.calibration) for one in left}) == 1
