from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.store import Store
from app.events.zones import ZONES, save_zones, saved_zones, take_up, zones_of
from app.web.beside import drawn_zones
from detectors.zones import Zones
from tests.app.events.findings import a_finding, begin

CORNER = Zones(exclude=(((0.0, 0.0), (0.5, 0.0), (0.0, 0.5)),))
ELSEWHERE = Zones(include=(((0.5, 0.5), (1.0, 0.5), (1.0, 1.0)),))


def test_what_was_drawn_comes_back(tmp_path: Path):
    assert saved_zones(tmp_path) is None
    save_zones(tmp_path, CORNER)
    assert saved_zones(tmp_path) == CORNER
    save_zones(tmp_path, Zones())
    assert saved_zones(tmp_path) == Zones()


@pytest.mark.parametrize("text", ["", "[]", '{"exclude": [[[0, 0], [1, 1]]]}', '{"exclude": 3}'])
def test_a_file_that_says_none_is_told_by_its_name(tmp_path: Path, text: str):
    (tmp_path / ZONES).write_text(text)
    with pytest.raises(UsageError, match=ZONES):
        saved_zones(tmp_path)


def test_too_many_are_refused():
    one = [[0, 0], [1, 0], [1, 1]]
    with pytest.raises(UsageError, match="more than 32 polygons"):
        zones_of({"include": [one] * 33})


def test_a_run_goes_on_with_what_was_drawn_unless_its_command_says_otherwise(tmp_path: Path):
    told: list[str] = []
    assert drawn_zones(tmp_path, Zones(), told.append) == Zones()
    with Store(tmp_path) as store:
        begin(store, a_finding())
    save_zones(tmp_path, CORNER)
    assert drawn_zones(tmp_path, ELSEWHERE, told.append) == ELSEWHERE
    assert told == []
    assert drawn_zones(tmp_path, Zones(), told.append) == CORNER
    assert told == [f"Zones: 1 of {tmp_path / ZONES}, as they were drawn on the page."]
    with Store(tmp_path) as store:
        settings = store.required_run().settings
    assert zones_of(settings["zones"]) == CORNER
    assert settings["fps"] == 5
    assert not take_up(tmp_path, CORNER)
    assert take_up(tmp_path, Zones())


def test_without_a_run_nothing_is_taken_up_and_nothing_made(tmp_path: Path):
    assert not take_up(tmp_path, CORNER)
    assert [*tmp_path.iterdir()] == []
