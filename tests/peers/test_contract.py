"""What every source must do, whatever it reads from."""

from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from app.sources.base import LiveSource, Source
from app.sources.file import FileSource
from app.sources.live import LiveCamera
from app.sources.paced import PacedSource
from app.sources.prefetch import Prefetched
from app.sources.sequence import SequenceSource
from detectors.types import Frame
from tests.peers.camera import RtspCamera
from tests.peers.http_peers import mjpeg_camera
from tests.peers.pattern import SIZE, number_of, numbered, numbered_images

FRAMES = 50

type AnySource = Source | LiveSource
type Opener = Callable[[Path, pytest.FixtureRequest], Iterator[AnySource]]


def from_file(video: Path, request: pytest.FixtureRequest) -> Iterator[AnySource]:
    yield FileSource(video, camera="gate")


def from_prefetch(video: Path, request: pytest.FixtureRequest) -> Iterator[AnySource]:
    yield Prefetched(FileSource(video, camera="gate"))


def from_sequence(video: Path, request: pytest.FixtureRequest) -> Iterator[AnySource]:
    yield SequenceSource(numbered_images(video.with_suffix(""), FRAMES), camera="gate")


def from_paced(video: Path, request: pytest.FixtureRequest) -> Iterator[AnySource]:
    yield PacedSource(FileSource(video, camera="gate"))


def from_rtsp(video: Path, request: pytest.FixtureRequest) -> Iterator[AnySource]:
    camera: RtspCamera = request.getfixturevalue("rtsp_camera")
    camera.start(video)
    live = LiveCamera(camera.url, camera="gate")
    live.connect(10)
    yield live


def from_http(video: Path, request: pytest.FixtureRequest) -> Iterator[AnySource]:
    with mjpeg_camera() as camera:
        live = LiveCamera(camera.url, camera="gate")
        live.connect(10)
        yield live


def from_webcam(video: Path, request: pytest.FixtureRequest) -> Iterator[AnySource]:
    # OpenCV reads the file in a camera's place as fast as it can: let it last for the test.
    live = LiveCamera(str(numbered(video.with_name("long.mp4"), 1500)), camera="gate")
    live.connect(10)
    yield live


LIVE = [from_paced, from_rtsp, from_http, from_webcam]


@pytest.fixture(
    params=[from_file, from_sequence, from_prefetch, *LIVE],
    ids=lambda opener: opener.__name__.removeprefix("from_"),
)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnySource]:
    opener: Opener = request.param
    for opened in opener(numbered(tmp_path / "x.mp4", FRAMES), request):
        try:
            yield opened
        finally:
            opened.close()


def taken(source: AnySource, most: int) -> list[Frame]:
    return [frame for frame in islice(source.frames(), most) if frame is not None]


def test_frames_come_in_order_in_red_green_blue(source: AnySource):
    frames = taken(source, 20)
    assert len(frames) >= 5
    assert source.info.camera == "gate"
    assert source.info.size == SIZE
    for frame in frames:
        assert frame.camera == "gate"
        assert frame.image.shape == (*SIZE, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert np.abs(frame.image[60, 20].astype(int) - (200, 90, 30)).max() < 12
    for earlier, later in pairwise(frames):
        assert later.pts_s > earlier.pts_s
        assert later.time_us >= earlier.time_us
        assert later.index > earlier.index
        assert number_of(later.image) - number_of(earlier.image) == later.index - earlier.index


@pytest.mark.parametrize("source", LIVE, indirect=True)
def test_what_was_taken_is_not_given_again(source: LiveSource):
    numbers: list[int] = []
    while len(numbers) < 5:
        frame = source.take()
        if frame is not None:
            numbers.append(frame.index)
    assert numbers == sorted(set(numbers))
    assert not source.ended
    source.close()
    assert source.ended
    assert source.take() is None


def test_closing_twice_ends_the_frames(source: AnySource):
    frames = source.frames()
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []
    assert list(source.frames()) == []


def test_closing_before_the_first_frame_is_fine(source: AnySource):
    source.close()
    assert list(source.frames()) == []
