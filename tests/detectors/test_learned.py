import numpy as np
import pytest
import torch

from detectors.learned import LONGER_SIDE, SAMPLES, LearnedView
from detectors.types import Box, Pixels
from tests.detectors.views import normal_views

SIZE = (160, 200)


@pytest.fixture(scope="module")
def frames() -> list[Pixels]:
    return normal_views(12, seed=3)


def test_what_passes_through_is_not_in_the_picture(frames: list[Pixels]):
    passed = [frame.copy() for frame in frames]
    for number, frame in enumerate(passed[:5]):
        frame[20:60, 30 * number : 30 * number + 30] = (255, 0, 255)
    before, after = LearnedView.of(frames).picture, LearnedView.of(passed).picture
    # Four of eleven at most are magenta at any place: the median moves by the light's spread.
    assert np.abs(before.astype(int) - after).max() < 25


def test_the_noise_is_that_of_the_pixels_not_that_of_the_light(frames: list[Pixels]):
    view = LearnedView.of(frames)
    assert view.noise.shape == SIZE
    # Noise of 2 grey levels a channel is 1.3 in the grey; light of +-8% would be ten of 128.
    assert 0.7 < np.median(view.noise) < 3


def test_a_large_view_is_kept_smaller_and_still_covers_all():
    frame = np.zeros((1080, 1920, 3), np.uint8)
    frame[540:, 960:] = 200
    view = LearnedView.of([frame] * 8)
    assert view.picture.shape == (720, LONGER_SIDE, 3)
    assert view.frame_size == (1080, 1920)
    part = view.part(Box(960, 540, 1920, 1080))
    assert part.shape == (360, 640, 3)
    assert part.min() == 200


def test_it_comes_back_from_tensors_as_it_was_rounded(frames: list[Pixels]):
    view = LearnedView.of(frames).rounded
    back = LearnedView.from_tensors(view.tensors(), view.frame_size)
    np.testing.assert_array_equal(back.picture, view.picture)
    np.testing.assert_array_equal(back.noise, view.noise)
    assert len(back.samples) == len(view.samples) == SAMPLES
    np.testing.assert_array_equal(back.sharp(), view.sharp())


def test_some_frames_are_kept_sharp_and_an_older_file_has_none(frames: list[Pixels]):
    view = LearnedView.of(frames)
    apart = np.abs(np.array(view.sharp()[0], int) - frames[0])
    assert apart.mean() < 3
    older = {name: one for name, one in view.tensors().items() if "sample" not in name}
    assert LearnedView.from_tensors(older, SIZE).sharp() == []


def test_another_size_has_the_same_content(frames: list[Pixels]):
    half = LearnedView.of(frames).scaled((80, 100))
    assert half.picture.shape == (80, 100, 3)
    assert half.noise.shape == (80, 100)
    assert half.frame_size == SIZE


@pytest.mark.parametrize(
    ("name", "tensor", "reason"),
    [
        ("view_picture", torch.zeros(4, 4, 3), "must be a picture"),
        ("view_picture", torch.zeros(4, 5, 3, dtype=torch.uint8), "must be a picture"),
        ("view_noise", torch.full(SIZE, torch.nan), "no spread"),
        ("view_noise", torch.full(SIZE, -1.0), "no spread"),
        ("view_sample_0", torch.full((9,), 7, dtype=torch.uint8), "no JPEG"),
    ],
)
def test_what_is_no_view_is_refused(
    frames: list[Pixels], name: str, tensor: torch.Tensor, reason: str
):
    tensors = LearnedView.of(frames).tensors() | {name: tensor}
    with pytest.raises(ValueError, match=reason):
        LearnedView.from_tensors(tensors, SIZE)


def test_two_pictures_join_where_they_look_alike_and_the_later_one_wins_elsewhere():
    rng = np.random.default_rng(0)
    grey = np.full((40, 60, 3), 100, np.uint8)

    def frames(count: int, light: int, parked: bool) -> list[Pixels]:
        shown = grey + np.uint8(light)
        if parked:
            shown = shown.copy()
            shown[10:20, 10:30] = 220
        return [(shown + rng.integers(0, 5, shown.shape)).astype(np.uint8) for _ in range(count)]

    old = LearnedView.of(frames(9, 0, parked=False))
    new = LearnedView.of(frames(9, 20, parked=True))
    joined = old.joined(new, 0.75)
    assert joined.picture[15, 20].tolist() == new.picture[15, 20].tolist()
    assert joined.picture[30:, 40:].mean() == pytest.approx(107, abs=1.5)
    assert joined.noise[15, 20] > 20
    assert joined.noise[30:, 40:].max() < 5
    assert joined.frame_size == old.frame_size
    kept = [picture[15, 20].mean() > 170 for picture in joined.sharp()]
    assert kept == [False] * 6 + [True] * 2
