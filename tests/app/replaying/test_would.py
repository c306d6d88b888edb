"""What a change would have made of what was stored, beside what it does make of the same film."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.errors import UsageError
from app.events.schema import STORE
from app.replaying.change import Change
from app.replaying.page import write_page
from app.replaying.would import would
from app.watching.keeper import Keeper, write_evidence
from calibration.promise import Promise
from detectors.files import PROMISE
from detectors.zones import Zones
from novic.kind_rules import KindRule
from tests.app.replaying.watching import film, times, watched
from tests.app.watching.test_keeper import stirring

HALF = Zones(exclude=(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),))


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hall")
    watched(folder, film(), bar=1.0)
    return folder


def lost_of(hall: Path, change: Change) -> tuple[list[tuple[float, float]], int]:
    """When the events were that would have rung all the same, and how many would be new."""
    outcome = would(hall, change)
    lost = {one.event.id for one in outcome.of("lost") if one.event is not None}
    with closing(sqlite3.connect(hall / STORE)) as database:
        rows = database.execute("SELECT id, start_s, end_s FROM event ORDER BY start_s, x1")
        kept = [(round(s, 3), round(e, 3)) for key, s, e in rows if key not in lost]
    assert outcome.after == outcome.before - len(lost) + len(outcome.of("new"))
    return kept, len(outcome.of("new"))


@pytest.mark.parametrize("bar", [1.05, 1.3, 1.7, 2.3, 3.1, 3.9])
def test_a_higher_bar_loses_what_a_true_run_loses(hall: Path, tmp_path: Path, bar: float):
    truth = watched(tmp_path, film(), bar)
    assert lost_of(hall, Change(bar=bar)) == (times(truth), 0)


def test_a_lower_bar_brings_what_came_near(hall: Path, tmp_path: Path):
    truth, before = watched(tmp_path, film(), 0.9), would(hall, Change(bar=0.9))
    (new,) = before.of("new")
    assert len(truth) == before.after == before.before + 1
    assert (new.start_s, new.end_s) in times(truth)
    assert new.as_json()["event"] is None


def test_what_lies_in_a_zone_that_is_left_out_is_lost(hall: Path, tmp_path: Path):
    truth = watched(tmp_path, film(), 1.0, HALF)
    kept, new = lost_of(hall, Change(zones=HALF))
    assert (kept, new) == (times(truth), 0)
    outcome = would(hall, Change(zones=HALF, said="--exclude"))
    assert [one.uncertain for one in outcome.of("lost")] == [""] * 2
    assert "would have been lost" in outcome.headline


def test_a_bar_far_below_says_that_more_may_come(hall: Path):
    assert "nothing was looked for" in " ".join(would(hall, Change(bar=0.5)).notes)


def test_what_no_rule_wants_would_be_silent(hall: Path):
    outcome = would(hall, Change(tell=(KindRule.parse("any animal"),)))
    assert len(outcome.of("silent")) == outcome.before
    assert outcome.after == 0
    assert all("any animal is told" in one.why for one in outcome.of("silent"))


def test_without_frames_levels_and_boxes_tell_and_the_outcome_says_so(hall: Path, tmp_path: Path):
    maps = film()
    old, new = tmp_path / "old", tmp_path / "new"
    watched(old, maps, 1.0)
    with closing(sqlite3.connect(old / STORE)) as database, database:
        database.execute("DELETE FROM trace")
    outcome = would(old, Change(bar=1.7))
    assert outcome.after == len(watched(new, maps, 1.7))
    assert "no frames are kept" in outcome.notes[0]
    lower = would(old, Change(bar=0.9))
    assert [one.uncertain for one in lower.of("new")] == [
        "only how far it was from ringing was kept"
    ]
    exact = would(hall, Change(zones=HALF)).of("lost")
    rough = would(old, Change(zones=HALF)).of("lost")
    assert [one.start_s for one in rough] == [one.start_s for one in exact]


def test_a_promise_without_normal_footage_cannot_choose_a_bar(hall: Path):
    with pytest.raises(UsageError, match=r"keeps nothing of its normal footage|no detector"):
        would(hall, Change(promise=Promise(1, "day")))


def test_a_promise_chooses_the_bar_that_a_run_would_choose(hall: Path, tmp_path: Path):
    place = tmp_path / "hall"
    shutil.copytree(hall, place)
    detector = place / "detector"
    detector.mkdir()
    facts = {"format": "nomaly-detector", "version": 2, "weights_sha256": "1" * 64, "peak": 0.4}
    (detector / "detector.json").write_text(json.dumps(facts))
    normal = stirring(hours=10.0)
    write_evidence(detector / PROMISE, normal, detector, lambda _: None)
    for promise in (Promise(1, "day"), Promise(20, "hour")):
        ((camera, before, after),) = would(place, Change(promise=promise)).bars
        assert (camera, before) == ("hall", 1.0)
        assert after == Keeper(promise, 0.4, normal).factor


def test_nothing_to_change_is_refused(hall: Path):
    with pytest.raises(UsageError, match="nothing would be otherwise"):
        would(hall, Change())


def test_the_page_stands_alone_and_shows_every_kind(hall: Path, tmp_path: Path):
    outcome = would(hall, Change(bar=0.9, zones=HALF, said="--bar 0.9"))
    text = write_page(outcome, tmp_path / "would.html").read_text()
    assert "Would have been lost (" in text
    assert "data:image/webp" in text
    assert "http://" not in text
    assert "https://" not in text


def test_the_command_prints_json_and_refuses_a_time_that_is_none(hall: Path, tmp_path: Path):
    run = CliRunner().invoke(cli, ["events", "would", str(hall), "--bar", "1.7", "--json"])
    told = json.loads(run.stdout)
    assert told["before"] - told["after"] == len(told["lost"])
    assert told["bars"][0]["after"] == 1.7
    page = tmp_path / "out.html"
    words = ["events", "would", str(hall), "--bar", "1.7", "--page", str(page), "-q"]
    assert "would have been lost" in CliRunner().invoke(cli, words).stdout
    assert page.is_file()
    wrong = CliRunner().invoke(cli, ["events", "would", str(hall), "--bar", "2", "--since", "x"])
    assert wrong.exit_code != 0
