"""What a stop left without a name is named by the next start, once, and rings no second time."""

from pathlib import Path

import pytest

from app.events.event import Event
from app.events.store import Changes, SourceProgress, Store
from app.watching.camera import Camera
from app.watching.nameless import Nameless
from app.watching.namer import Words
from app.watching.naming import AtOnce, Beside
from tests.app.builders import SIZE, BrightnessNames
from tests.app.watching.test_naming import HeldNames, play

SOURCE = SourceProgress("hall", "rtsp://hall/1", SIZE, 0.0, 8.0, start_us=0)


@pytest.fixture
def left(tmp_path: Path) -> tuple[Path, int]:
    """A run with an event that was told without a name."""
    names, camera = HeldNames(), Camera(SIZE, live=True)
    with Beside(names) as beside:
        play(camera, beside)
        found = beside.last(camera, 0.0)
    names.allowed.set()
    with Store(tmp_path, sinks=["jsonl:all"]) as store:
        run = store.begin_run("watch", {})
        store.save(run.id, Changes(SOURCE, found))
    return tmp_path, run.id


def the_event(folder: Path, run_id: int) -> Event:
    with Store(folder) as store:
        [event] = store.events(run_id)
    return event


def test_it_is_named_by_its_stored_crop_and_stays_closed(left: tuple[Path, int]):
    folder, run_id = left
    before = the_event(folder, run_id)
    assert (before.noun, before.state) == ("", "closed")
    with Store(folder, sinks=["jsonl:all"]) as store:
        waited = store.outbox.count("jsonl:all")
        found = Nameless(store, run_id, Words()).findings(AtOnce(BrightnessNames()))
        told = [(one.event.state, one.event.noun, one.silent) for one in found]
        assert told == [("updated", "lamp", False), ("closed", "lamp", True)]
        store.save(run_id, Changes(SOURCE, found))
        assert store.outbox.count("jsonl:all") == waited + 1
        body = store.outbox.waiting("jsonl:all", 10)[-1].body
        assert (body["event"], body["id"], body["rings"]) == ("updated", before.id, False)
        assert len(store.sightings(before.id)) == 20
    after = the_event(folder, run_id)
    assert (after.noun, after.state) == ("lamp", "closed")
    assert (after.box, after.end_us, after.frames) == (before.box, before.end_us, before.frames)
    with Store(folder) as store:
        assert Nameless(store, run_id, Words()).findings(AtOnce(BrightnessNames())) == []


def test_it_waits_for_its_name_beside_the_frames(left: tuple[Path, int]):
    folder, run_id = left
    names = HeldNames()
    with Store(folder) as store, Beside(names) as beside:
        nameless = Nameless(store, run_id, Words())
        assert nameless.findings(beside) == []
        names.allowed.set()
        found = []
        while not found:
            found = nameless.findings(beside)
        assert found[0].event.noun == "lamp"
        assert nameless.findings(beside) == []


def test_what_may_be_followed_on_is_left_alone(left: tuple[Path, int]):
    folder, run_id = left
    with Store(folder) as store:
        going_on = [(the_event(folder, run_id), [])]
        nameless = Nameless(store, run_id, Words(), going_on)
        assert nameless.findings(AtOnce(BrightnessNames())) == []


def test_without_its_picture_it_stays_without_a_name(left: tuple[Path, int]):
    folder, run_id = left
    for crop in (folder / "crops").iterdir():
        crop.write_bytes(b"no picture")
    with Store(folder) as store:
        assert Nameless(store, run_id, Words()).findings(AtOnce(BrightnessNames())) == []
