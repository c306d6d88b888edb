"""What a run takes from the site that it is for."""

from pathlib import Path

import pytest

from app.errors import UsageError
from app.sites.model import OpenedSite, open_site
from detectors.configs import PadimConfig
from detectors.tracks import TrackRule
from detectors.zones import Zones
from scenarios.belonging_rule import BelongingRule
from scenarios.yaml_files import ScenarioError

HALL = """version: 1
name: hall
description: A camera in a hall.
bundles:
  - {ft: 6, path: bundles/ft6}
  - {ft: 2, path: bundles/ft2}
detector:
  folder: fitted
  exclude: [[[0, 0], [1, 0], [1, 0.25]]]
"""
DOOR = "0,0 0.5,0 0.5,1"


@pytest.fixture
def hall(tmp_path: Path) -> Path:
    folder = tmp_path / "hall"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(HALL)
    return folder


def test_a_site_brings_decoder_detector_and_zones(hall: Path):
    assert open_site("hall", root=hall.parent) == OpenedSite(
        bundle=hall / "bundles" / "ft2",
        detector=hall / "fitted",
        zones=Zones(exclude=(((0, 0), (1, 0), (1, 0.25)),)),
    )
    assert open_site("hall", 6, hall.parent).bundle == hall / "bundles" / "ft6"


def test_a_preset_without_a_decoder_is_refused_and_leaves_no_folder(tmp_path: Path):
    with pytest.raises(
        ScenarioError,
        match="no decoder yet; run: nomaly scenario rate airbus, then nomaly scenario build airbus",
    ):
        open_site("airbus", root=tmp_path / "sites")
    assert list(tmp_path.iterdir()) == []


def test_what_was_named_itself_comes_first(hall: Path):
    site = open_site("hall", root=hall.parent, detector=Path("mine"), exclude=[DOOR])
    assert site.detector == Path("mine")
    assert site.zones == Zones(exclude=(((0, 0), (0.5, 0), (0.5, 1)),))
    assert open_site("hall", root=hall.parent, taught=True).detector is None


def test_a_site_says_what_a_detector_that_learns_is_made_of(hall: Path):
    assert open_site("hall", root=hall.parent).detector_config is None
    file = hall / "scenario.yaml"
    file.write_text(file.read_text() + "  model: {kind: padim, passes: 320}\n")
    assert open_site("hall", root=hall.parent).detector_config == PadimConfig(passes=320)


def test_a_site_says_when_something_counts(hall: Path):
    assert open_site("hall", root=hall.parent).rule == TrackRule()
    file = hall / "scenario.yaml"
    file.write_text(file.read_text() + "  tracks: {open_score: 2, close_after_s: 10}\n")
    rule = TrackRule(open_score=2, close_after_s=10)
    assert open_site("hall", root=hall.parent).rule == rule


def test_a_site_says_when_a_thing_belongs(hall: Path):
    assert open_site("hall", root=hall.parent).belonging == BelongingRule()
    file = hall / "scenario.yaml"
    file.write_text(file.read_text() + "belonging: {sure_from: 0.7}\n")
    assert open_site("hall", root=hall.parent).belonging == BelongingRule(sure_from=0.7)
    file.write_text(file.read_text().replace("0.7", "7.0"))
    with pytest.raises(ScenarioError, match="sure_from"):
        open_site("hall", root=hall.parent)


def test_without_a_site_all_is_as_it_was_named():
    assert open_site(None) == OpenedSite(None, None, Zones())
    site = open_site(None, model=Path("bundle"), detector=Path("mine"), taught=True)
    assert site == OpenedSite(Path("bundle"), Path("mine"), Zones())


def test_options_that_contradict_each_other_are_refused(hall: Path):
    with pytest.raises(UsageError, match="--ft and --root are for --scenario NAME"):
        open_site(None, 6)
    with pytest.raises(UsageError, match="a scenario brings its own model"):
        open_site("hall", root=hall.parent, model=Path("bundle"))
    with pytest.raises(ScenarioError, match="no decoder for ft 4"):
        open_site("hall", 4, hall.parent)


@pytest.mark.parametrize(
    ("polygon", "why"),
    [
        ("0,0 1,1", "at least 3 corners"),
        ("0,0 2,0 1,1", "outside the frame"),
        ("0,0 1,0 1", "'1' is no corner x,y; write corners as x,y x,y x,y"),
        ("0,0 1,0 a,b", "'a,b' is no corner x,y; write corners as x,y x,y x,y"),
    ],
)
def test_a_polygon_that_is_none_is_told(polygon: str, why: str):
    with pytest.raises(UsageError, match=f"--exclude {polygon}: .*{why}"):
        open_site(None, exclude=[polygon])
