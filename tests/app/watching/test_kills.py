"""A watch that is killed twice tells everything once."""

from pathlib import Path

import pytest

from app.demo.footage import write_footage
from tests.app.watch_kills import Case, Tally, long_stay, start_forked


@pytest.mark.slow
def test_two_kills_lose_nothing_and_tell_nothing_twice(tmp_path: Path):
    film, tally = tmp_path / "film.mp4", Tally()
    write_footage(long_stay(16, learn_s=3), film)
    case = Case(tmp_path, film, start_forked, tally, ("--learn", "3", "--detector-model", "mog2"))
    for watched_s in (4.5, 2.0):
        assert case.session(None, watched_s=watched_s)
    assert not case.session(None)
    case.end()
    assert (tally.kills, tally.finished) == (2, 1)
    assert (tally.damaged, tally.missing, tally.twice, tally.orphans) == (0, 0, 0, 0)
    # One thing stands there: it rings once, however often the watch was killed.
    lines = case.lines()
    assert [line["event"] for line in lines if line["rings"]] == ["opened"]
    assert len({line["id"] for line in lines}) == 1
    assert [line["event"] for line in lines].count("closed") == 1
