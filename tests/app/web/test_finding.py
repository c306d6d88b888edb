from pathlib import Path

import pytest

from app.events.store import Changes, SourceProgress, Store
from app.feedback.answers import Answer, keep_answer
from app.report.times import local
from app.web.finding import Filters, fits, found_event, found_events
from app.web.places import NotThereError, Places
from tests.app.web.builders import BEGAN_US, a_site, event_id, seen, write_camera


@pytest.fixture
def site(tmp_path: Path) -> Places:
    return Places([a_site(tmp_path)])


def names(places: Places, **wanted: str) -> list[str]:
    return [one.event.headline for one in found_events(places, Filters.model_validate(wanted))]


def test_the_events_of_all_cameras_come_newest_first(site: Places):
    assert names(site) == ["suitcase", "dog", "person", "black picture", "cat"]


def test_filters_are_joined(site: Places, tmp_path: Path):
    keep_answer(tmp_path / "gate", Answer(event_id(3, "gate"), "confirmed"))
    day = f"{local(BEGAN_US):%Y-%m-%d}"
    assert names(site, state="told") == ["suitcase", "person", "black picture", "cat"]
    assert names(site, state="silent") == ["dog"]
    assert names(site, state="open") == ["suitcase"]
    assert names(site, camera="gate") == ["person"]
    assert names(site, kind="camera") == ["black picture"]
    assert names(site, kind="object", state="closed", camera="hall") == ["dog", "cat"]
    assert names(site, answer="confirmed") == ["person"]
    assert len(names(site, answer="none")) == 4
    assert names(site, day=day) == names(site)
    assert names(site, day="2020-01-01") == []


def test_words_are_looked_for_in_names_guesses_sentences_and_what_people_said(
    site: Places, tmp_path: Path
):
    assert names(site, text="SUIT") == ["suitcase"]
    assert names(site, text="was black") == ["black picture"]
    # A dog was the second guess of every thing.
    assert len(names(site, text="dog")) == 4
    assert names(site, text="%") == []
    keep_answer(tmp_path / "hall", Answer(event_id(9, "hall"), "renamed", "tool box"))
    assert names(site, text="tool") == ["suitcase"]


def test_pages_follow_each_other_without_a_seam_also_at_one_moment(tmp_path: Path):
    for camera in ("a", "b", "c"):
        # The same moment and number at all cameras.
        write_camera(tmp_path / camera, *(seen(number, "cat", "x") for number in range(40)))
    places, listed = Places([tmp_path]), []
    page = found_events(places, Filters(), 7)
    while page:
        listed += page
        page = found_events(places, Filters(), 7, page[-1].order)
    assert len(listed) == 120
    assert [one.order for one in listed] == sorted((one.order for one in listed), reverse=True)
    assert len({one.address for one in listed}) == 120


def test_one_event_is_found_and_fits_or_not(site: Places):
    hall = site.place("hall")
    one = found_event(hall, event_id(1, "hall"))
    assert one is not None
    said = one.as_json()
    assert (said["folder"], said["state"], said["answer"]) == ("hall", "closed", None)
    assert said["links"]["crop"] == f"/api/v1/events/{one.address}/crop"
    assert found_event(hall, "nothing") is None
    assert fits(hall, one.event.id, Filters(state="told")) is not None
    assert fits(hall, one.event.id, Filters(state="open")) is None
    assert fits(hall, one.event.id, Filters(camera="gate")) is None
    with pytest.raises(NotThereError, match="yard: there is no such camera here"):
        site.place("yard")


def test_a_store_that_comes_later_is_found_and_names_are_told_apart(tmp_path: Path):
    places = Places([tmp_path / "one", tmp_path / "two"])
    assert places.all() == []
    for name in ("one", "two"):
        write_camera(tmp_path / name / "hall", seen(1, "cat", "hall"))
    assert [one.name for one in places.all()] == ["hall", "hall-2"]


def test_who_reads_sees_no_half_of_what_is_being_saved(tmp_path: Path):
    folder = tmp_path / "hall"
    run_id = write_camera(folder, seen(1, "cat", "hall"))
    places = Places([folder])
    with Store(folder) as store, store.saving():
        store.save_source(run_id, SourceProgress("hall", "rtsp://hall/1", (60, 80), 0.0, 0.0))
        assert len(found_events(places, Filters())) == 1
    with Store(folder) as store:
        source = SourceProgress("hall", "rtsp://hall/1", (60, 80), 0.0, 0.0)
        store.save(run_id, Changes(source, [seen(2, "dog", "hall")]))
    assert len(found_events(places, Filters())) == 2
