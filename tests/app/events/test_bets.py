"""What was bet against a calibration, in the store."""

from dataclasses import replace
from pathlib import Path

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
