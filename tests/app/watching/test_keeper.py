"""What a camera's maps are divided by, and how it learns that from quiet frames."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.keeper import (
    Keeper,
    read_evidence,
    told,
    write_evidence,
)
from calibration.levels import Level, Seen
from calibration.promise import CEILING, DEFAULT, FLOOR, Kept, Promise
from calibration.remembered import RememberedLevels
from detectors.files import PROMISE
from tests.app.builders import SIZE, a_frame, a_map

RATE = 5.0
CALM = 0.4


def stirring(hours: float = 2.0, usual: float = 0.45) -> RememberedLevels:
    """RememberedLevels of normal footage in which something stirs every 20 s."""
    rng = np.random.default_rng(1)
    times = np.arange(0, hours * 3600, 20.0)
    values = usual + rng.exponential(0.05, len(times))
    levels = tuple(Level(float(t), float(v)) for t, v in zip(times, values, strict=True))
    evidence = RememberedLevels(0.3)
    evidence.add(Seen(hours, levels, levels), 0.0)
    return evidence


def watch(camera: Camera, maps: list[NDArray[np.float32]], from_s: float = 0.0) -> list[float]:
    """Take maps 5 times a second; returns their peaks."""
    rng = np.random.default_rng(0)
    views = [rng.integers(60, 120, (*SIZE, 3)).astype(np.uint8) for _ in maps]
    frames = [a_frame(from_s + number / RATE, view) for number, view in enumerate(views)]
    return [float(peak) for peak in camera.follow(frames, np.stack(maps))]


def quiet(seconds: float, seed: int = 0) -> list[NDArray[np.float32]]:
    """Maps of a calm view."""
    rng = np.random.default_rng(seed)
    shape = a_map().shape
    return [
        rng.gumbel(0.15, 0.02, shape).clip(0).astype(np.float32)
        for _ in range(round(seconds * RATE))
    ]


def a_camera(keeper: Keeper, *, live: bool = True) -> Camera:
    return Camera(SIZE, live=live, settings=CameraSettings(keeper=keeper))


class TestFactor:
    def test_calm_and_restless_views_begin_with_what_their_own_frames_bear(self):
        peaks = (0.4, 0.68, 0.9, 1.2, 9.0, math.nan)
        found = [Keeper(DEFAULT, peak).factor for peak in peaks]
        assert found == pytest.approx([0.7, 0.748, 0.8, 1.056, CEILING, 0.8])

    def test_what_footage_shows_comes_before_what_is_assumed(self):
        keeper = Keeper(DEFAULT, 0.5, stirring())
        assert keeper.kept.shown
        assert keeper.factor == pytest.approx(keeper.evidence.tails()[0].threshold(1))

    def test_maps_are_divided_by_it(self):
        keeper = Keeper(DEFAULT, 0.4)
        (peak,) = watch(a_camera(keeper), [a_map((4, 4, 4)) * np.float32(0.1)])
        assert peak == pytest.approx(float((a_map((4, 4, 4)) * 0.1).max()) / 0.7, rel=1e-5)

    def test_a_thing_below_the_threshold_opens_with_it(self):
        maps = [a_map((4, 4, 4)) / a_map((4, 4, 4)).max() * np.float32(1.1)] * 10
        opened = []
        for keeper in (None, Keeper(DEFAULT, 0.4)):
            camera = Camera(SIZE, live=True, settings=CameraSettings(keeper=keeper))
            watch(camera, maps)
            opened.append(camera.due)
        assert opened == [0, 1]


class TestLearning:
    def test_quiet_footage_shows_the_promise_and_says_so_once(self):
        said: list[str] = []
        keeper = Keeper(DEFAULT, CALM, say=said.append)
        camera = a_camera(keeper)
        for part in range(3):
            watch(camera, quiet(300, seed=part), from_s=300.0 * part)
        assert keeper.kept.shown
        assert keeper.factor == pytest.approx(FLOOR)
        assert len(said) == 1
        assert said[0].startswith("False events: 1/hour is shown by 10 min of normal footage")
        assert "for 1/day it takes quiet footage until" in said[0]

    def test_a_recording_is_looked_at_in_one_way_from_beginning_to_end(self):
        keeper = Keeper(DEFAULT, CALM)
        camera = a_camera(keeper, live=False)
        watch(camera, quiet(700))
        camera.finish()
        assert keeper.evidence.hours == 0

    def test_time_with_something_open_is_no_normal_footage(self):
        keeper = Keeper(DEFAULT, CALM)
        camera = a_camera(keeper)
        thing = [one + a_map((4, 4, 4)) for one in quiet(60)]
        watch(camera, [*quiet(60), *thing, *quiet(60)])
        camera.finish()
        assert 95 / 3600 < keeper.evidence.hours < 112 / 3600
        assert max(keeper.evidence.tails()[0].peaks, default=0) < keeper.factor

    def test_frames_that_show_nothing_new_are_normal_footage_too(self):
        keeper = Keeper(DEFAULT, CALM)
        camera = a_camera(keeper)
        *_, last = watch(camera, quiet(10))
        rng = np.random.default_rng(1)
        views = [rng.integers(60, 120, (*SIZE, 3)).astype(np.uint8) for _ in range(50)]
        more = [a_frame(10 + number / RATE, view) for number, view in enumerate(views)]
        assert set(camera.pass_over(more).tolist()) == {last}
        camera.finish()
        assert keeper.evidence.hours == pytest.approx(19.8 / 3600)

    def test_a_machine_that_is_in_a_hurry_learns_nothing_and_claims_nothing(self):
        keeper = Keeper(DEFAULT, CALM)
        camera = a_camera(keeper)
        watch(camera, quiet(20))
        camera.hurried = True
        thing = [one + a_map((4, 4, 4)) for one in quiet(10)]
        watch(camera, [*quiet(20), *thing], from_s=20.0)
        camera.finish()
        assert keeper.evidence.hours == pytest.approx(19.8 / 3600)
        assert camera.due == 2  # it opens and closes

    def test_what_was_seen_is_kept_at_the_end(self):
        saved: list[float] = []
        keeper = Keeper(DEFAULT, CALM, save=lambda one: saved.append(one.evidence.hours))
        camera = a_camera(keeper)
        watch(camera, quiet(30))
        camera.finish()
        assert saved == [pytest.approx(29.8 / 3600)]


class TestSentences:
    def test_too_little_footage(self):
        text = told(Kept(Promise(1, "day"), 0.7, "prior", 0.02))
        assert "1/day is not shown yet; it takes 2 h 24 min of normal footage" in text

    def test_until_when(self):
        text = told(Kept(Promise(1, "hour"), 0.7, "prior", 0.05), now_s=1e9)
        assert "it takes quiet footage until " in text

    def test_enough_footage_in_which_too_little_happened(self):
        text = told(Kept(Promise(30, "hour"), 0.7, "prior", 0.005))
        assert "too little happened in 18 s of normal footage to tell, it takes more" in text

    def test_too_restless_to_keep_it(self):
        text = told(Kept(DEFAULT, 1.5, "ceiling", 2.0, 12.0))
        assert text.startswith("False events: up to 12/hour are to be expected, not 1/hour")


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A detector's folder, as far as it is looked at here."""
        facts = {"format": "nomaly-detector", "version": 2, "weights_sha256": "1" * 64}
        (tmp_path / "detector.json").write_text(json.dumps(facts))
        return tmp_path

    def test_a_watch_that_is_started_again_goes_on_with_what_it_knew(self, folder: Path):
        said: list[str] = []
        write_evidence(folder / "state.json", stirring(), folder, said.append)
        again = read_evidence(folder / "state.json", folder, said.append)
        assert again is not None
        assert again.facts() == stirring().facts()
        assert said == []

    def test_what_belongs_to_another_detector_counts_for_nothing(self, folder: Path):
        write_evidence(folder / PROMISE, stirring(), folder, lambda _: None)
        facts = {"format": "nomaly-detector", "version": 2, "weights_sha256": "2" * 64}
        (folder / "detector.json").write_text(json.dumps(facts))
        assert read_evidence(folder / PROMISE, folder, lambda _: None) is None

    @pytest.mark.parametrize("damage", ["", "{", "[]", '{"detector": "x"}', '{"evidence": 1}'])
    def test_a_damaged_file_is_said_and_ends_nothing(self, folder: Path, damage: str):
        said: list[str] = []
        (folder / PROMISE).write_text(damage)
        found = read_evidence(folder / PROMISE, folder, said.append)
        assert found is None
        assert len(said) == (damage != '{"detector": "x"}')

    def test_a_disk_that_is_full_ends_nothing(self, folder: Path):
        said: list[str] = []
        write_evidence(folder / "none" / "state.json", stirring(), folder, said.append)
        assert "cannot be written" in said[0]
