"""Frozen pictures, and still ones of cameras that are alive."""

from collections.abc import Iterable

import av
import numpy as np
import pytest

from app.watching.standing import FROZEN_S, Standing
from detectors.types import Frame, Pixels
from tests.app.builders import a_frame
from tests.app.watching.test_faults import a_scene, with_noise

FPS = 5


def frozen_at(images: Iterable[Pixels], step_s: float = 1 / FPS) -> list[float]:
    """The times at which a camera is told to be frozen, and since when, if it is."""
    standing, told = Standing(), []
    for number, image in enumerate(images):
        if standing.see(a_frame(number * step_s, image)):
            told.append(round(number * step_s, 3))
    return told


def noisy(frames: int, first: int = 0) -> list[Pixels]:
    return [with_noise(a_scene(), 2, seed) for seed in range(first, first + frames)]


def test_one_picture_for_ten_seconds_is_frozen_until_the_next():
    images = [*noisy(10), *[a_scene()] * (12 * FPS), *noisy(5, 50)]
    told = frozen_at(images)
    assert (told[0], told[-1]) == (2.0 + FROZEN_S, 2.0 + 12 - 1 / FPS)


def test_it_is_known_since_when():
    standing = Standing()
    for number, image in enumerate([*noisy(10), *[a_scene()] * 60]):
        standing.see(a_frame(number / FPS, image))
    assert standing.since is not None
    assert standing.since.pts_s == 2.0
    assert standing.frames == 60


def test_a_still_scene_with_noise_is_alive():
    assert frozen_at(noisy(60 * FPS // 2)) == []


def test_a_clock_in_the_picture_is_life():
    images = []
    for number in range(30 * FPS):
        image = a_scene()
        image[8:20, 10 * (number // FPS % 10) : 10 * (number // FPS % 10) + 8] = 255
        images.append(image)
    assert frozen_at(images) == []


@pytest.mark.parametrize("every_s", [1, 4, 8])
def test_a_camera_with_few_pictures_that_are_repeated_is_alive(every_s: int):
    images = [image for image in noisy(12) for _ in range(every_s * FPS)]
    assert frozen_at(images) == []


def test_what_a_slower_camera_usually_takes_is_learned():
    images = [image for image in noisy(10) for _ in range(15 * FPS)]
    told = frozen_at(images)
    assert told
    assert max(told) < 4 * 15 + 15
    # Five times as long is frozen even there.
    assert frozen_at([*images, *[a_scene(9)] * (75 * FPS)])[-1] > 200


def test_a_few_frames_with_a_hole_between_them_are_not_enough():
    standing = Standing()
    times = [0.0, 0.2, 0.4, 30.0, 30.2]
    assert not any(standing.see(Frame("hall", 0, t, round(t * 1e6), a_scene())) for t in times)


def encoded(images: list[Pixels], **options: str) -> list[Pixels]:
    """What a camera's own encoder makes of pictures."""
    height, width = images[0].shape[:2]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.gop_size = FPS, 2 * FPS
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", **options}
    decoder = av.CodecContext.create("h264", "r")
    packets = [p for i in images for p in encoder.encode(av.VideoFrame.from_ndarray(i, "rgb24"))]
    shown = [frame for p in [*packets, *encoder.encode(None)] for frame in decoder.decode(p)]
    return [
        np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        for frame in [*shown, *decoder.decode(None)]
    ]


@pytest.mark.parametrize("crf", ["18", "23", "28"])
def test_a_frozen_picture_that_is_encoded_again_and_again_is_frozen(crf: str):
    told = frozen_at(encoded([a_scene()] * (24 * FPS), crf=crf))
    assert told
    assert told[-1] == 24 - 1 / FPS


@pytest.mark.parametrize("crf", ["18", "23", "28", "35"])
def test_a_still_scene_is_alive_through_its_encoder(crf: str):
    assert frozen_at(encoded(noisy(30 * FPS), crf=crf)) == []


def test_another_size_is_another_picture():
    small = np.ascontiguousarray(a_scene()[::2, ::2])
    assert frozen_at([*[a_scene()] * 45, *[small] * 45]) == []
