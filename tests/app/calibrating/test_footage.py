"""What normal footage gives to calibrate on."""

import os
from pathlib import Path

import numpy as np
import pytest

from app.calibrating.footage import How, Looked, look, moments
from app.calibrating.planting import Pace
from app.progress import Reporter
from app.watching.sampling import strongest
from detectors.base import Detector
from detectors.zones import Zones
from tests.app.calibrating.names import ColourNames, Scores
from tests.app.watching.road import day, frames
from tests.peers.pattern import write_video

QUIET = Reporter(quiet=True)
SIZE = (120, 160)


def never() -> None:
    """Nobody stops."""


def seen_of(videos: tuple[Path, ...], detector: Detector, how: How | None = None) -> Looked:
    [*_, seen] = look(videos, detector, ColourNames(), how or How(), QUIET, never)
    return seen


@pytest.fixture(scope="module")
def seen(knows: Detector, footage: Path) -> Looked:
    """What is seen of the footage."""
    return seen_of((footage,), knows)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of pictures without a container, which nothing tells the length of."""
    path = tmp_path_factory.mktemp("raw") / "normal.h264"
    return write_video(path, [one.image for one in frames(day(), 100, 140)], fps=5)


def test_the_strongest_places_are_taken_whatever_their_value():
    heat = np.full((30, 40), 0.1, np.float32)
    for row, column, value in ((5, 5, 0.3), (5, 30, 0.25), (22, 12, 0.2), (22, 34, 0.15)):
        heat[row : row + 2, column : column + 2] = value
    found = strongest(heat, SIZE, 3)
    assert [one.score for one in found] == [pytest.approx(v) for v in (0.3, 0.25, 0.2)]
    assert found[0].box.x1 <= 5.5 * 4 <= found[0].box.x2
    assert max(one.box.area for one in found) < 0.05 * SIZE[0] * SIZE[1]


def test_a_map_without_places_has_none():
    assert strongest(np.zeros((30, 40), np.float32), SIZE, 3) == []
    assert strongest(np.full((30, 40), np.nan, np.float32), SIZE, 3) == []
    assert strongest(np.full((30, 40), 0.5, np.float32), SIZE, 3) == []


def test_footage_gives_crops_minutes_and_levels(seen: Looked):
    crops = seen.crops
    assert 3 <= len(crops) <= 48
    assert crops.vectors.shape == (len(crops), 48)
    assert np.all(np.diff(crops.at_s) >= 0)
    assert np.allclose(crops.top_p + crops.rest, 1, atol=1e-6)
    assert seen.hours * 3600 == pytest.approx(5.6, abs=0.4)
    assert seen.length_s == pytest.approx(5.6, abs=0.4)
    assert len(seen.minutes) == 1
    assert 0 < seen.minutes[0].peak < 3
    assert seen.picture is not None
    assert seen.picture.shape == (*SIZE, 3)
    assert seen.backwards == ""


def test_places_that_are_not_watched_give_no_crops(knows: Detector, footage: Path):
    all_of = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert len(seen_of((footage,), knows, How(zones=Zones(exclude=(all_of,)))).crops) == 0


def test_a_clock_that_goes_back_is_told_and_harms_nothing(
    knows: Detector, footage: Path, tmp_path: Path
):
    earlier = tmp_path / "earlier.mp4"
    earlier.write_bytes(footage.read_bytes())
    os.utime(footage, (2e9, 2e9))
    os.utime(earlier, (1e9, 1e9))
    seen = seen_of((footage, earlier), knows, How(fps=1.0))
    assert "earlier.mp4: its clock goes back by" in seen.backwards
    assert np.all(np.diff(seen.crops.at_s) >= 0)
    assert seen.length_s == pytest.approx(10, abs=2.0)


def test_short_files_are_looked_at_as_one_long_one_would_be(knows: Detector, minute: Path):
    seen = seen_of((minute,) * 12, knows, How(fps=0.1, most_s=240.0))
    # A third of twelve minutes, by a block of each third file.
    assert [int(one.at_s // 60) for one in seen.minutes] == [2, 5, 8, 11]
    assert len(seen.films) == 4
    assert seen.length_s == pytest.approx(11 * 60 + 50)


def test_what_a_decoder_leaves_to_other_nouns_is_not_known_of_scores(
    knows: Detector, footage: Path
):
    [*_, seen] = look((footage,), knows, Scores(), How(fps=1.0), QUIET, never)
    assert len(seen.rest) > 0
    assert np.isnan(seen.rest).all()


def test_each_file_has_minutes_of_its_own(knows: Detector, footage: Path):
    seen = seen_of((footage, footage), knows, How(fps=1.0))
    assert [one.at_s for one in seen.minutes] == [film.start_s for film in seen.films]
    assert len(seen.minutes) == 2


def test_of_files_that_hide_their_length_no_more_than_the_most_is_looked_at(
    knows: Detector, raw: Path
):
    seen = seen_of((raw,), knows, How(fps=5.0, most_s=2.0))
    assert 2 <= seen.length_s < 5


def test_moments_have_as_many_frames_as_come_in_their_time(knows: Detector, tmp_path: Path):
    slow = write_video(tmp_path / "slow.mp4", [one.image for one in frames(day(), 100, 128)], fps=4)
    seen = seen_of((slow,), knows, How(fps=5.0))
    assert seen.films[0].step_s == pytest.approx(0.25, abs=0.01)
    for window in (read() for read in moments(seen, SIZE, 5.0, 2)):
        assert window is not None
        # Ten frames at least, as a rule counts frames where a second holds fewer than five.
        assert (window.before, len(window.frames)) == (3, 13)
        assert window.stays_s == pytest.approx(2.5, abs=0.01)
    assert Pace.of(0.05) == Pace(0.05, 12, 40)


def test_moments_are_read_whole_and_spread_over_each_hour(seen: Looked):
    chosen = [read() for read in moments(seen, SIZE, 5.0, 3)]
    found = [one for one in chosen if one is not None]
    assert len(found) == 3
    assert all(len(one.frames) == Pace.of(0.2).frames for one in found)
    assert all(one.stays_s == pytest.approx(2, abs=0.01) for one in found)
    starts = [one.frames[0].time_us / 1e6 for one in found]
    assert starts == sorted(starts)
    assert starts[-1] - starts[0] > 1
    assert len({one.hour for one in found}) == 1


def test_footage_that_is_too_short_has_no_moments():
    assert moments(Looked(), SIZE, 5.0, None) == []
