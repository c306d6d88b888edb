"""Files of every container, begun anywhere: the same frames and times as from the start."""

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from app.sources.base import Gap, SourceError
from app.sources.file import FileSource
from tests.app.sources.streams import restamped
from tests.peers.pattern import Coding, number_of, picture, write_video

FRAMES = 60
FPS = 10
STARTS = (0.01, 0.2, 0.43, 0.66, 0.99)
"""Moments that are tried, as shares of the whole."""

type Seen = list[tuple[int, float]]


def seen(path: Path, start_s: float = 0.0, assume_fps: float | None = None) -> Seen:
    """(number of the picture, its time rounded to milliseconds) of every frame from a moment on."""
    with FileSource(path, start_s=start_s, assume_fps=assume_fps) as source:
        return [(number_of(frame.image), round(frame.pts_s, 3)) for frame in source.frames()]


def lasted_s(gap: Gap) -> float:
    return ((gap.end_us or 0) - gap.start_us) / 1e6


def steady(fps: float = FPS) -> list[object]:
    return [(number, pytest.approx(number / fps, abs=0.002)) for number in range(FRAMES)]


def check_any_start(path: Path) -> None:
    whole = seen(path)
    for start_s in (share * whole[-1][1] for share in STARTS):
        expected = [one for one in whole if one[1] >= start_s]
        assert seen(path, start_s) == expected, start_s


@pytest.mark.parametrize(
    ("name", "codec", "b_frames", "fps"),
    [
        ("a.mp4", "libx264", 2, FPS),
        ("a.mkv", "libx264", 2, FPS),
        ("a.ts", "libx264", 0, FPS),
        ("b.ts", "libx264", 2, FPS),
        ("a.m2ts", "libx264", 2, FPS),
        ("a.flv", "libx264", 0, FPS),
        ("a.avi", "libx264", 0, FPS),
        ("b.avi", "libx264", 2, FPS),
        ("a.h264", "libx264", 0, FPS),
        ("b.h264", "libx264", 2, FPS),
        ("a.h265", "libx265", 2, FPS),
        ("c.ts", "libx265", 2, FPS),
        ("a.vob", "mpeg2video", 2, 25),
        ("a.m2v", "mpeg2video", 2, 25),
        ("c.avi", "mpeg4", 0, FPS),
        ("a.mjpeg", "mjpeg", 0, 25),
    ],
)
def test_every_container_is_read_from_any_moment_on(
    tmp_path: Path, name: str, codec: str, b_frames: int, fps: int
):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    pictures = map(picture, range(FRAMES))
    path = write_video(
        tmp_path / name,
        pictures,
        codec,
        pixels,
        fps=fps,
        coding=Coding(gop=FRAMES, b_frames=b_frames),
    )
    assert seen(path) == steady(fps)
    check_any_start(path)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("stream") / "a.ts"
    return write_video(
        path, map(picture, range(FRAMES)), fps=FPS, coding=Coding(gop=20)
    ).read_bytes()


@pytest.mark.parametrize(
    "shift_s",
    [
        pytest.param(lambda n: 30 * (n == 30), id="ahead"),
        pytest.param(lambda n: 0.35 * (n == 30), id="a little ahead"),
        pytest.param(lambda n: -3 * (n == 30), id="behind"),
        pytest.param(lambda n: -9800 * (n == 30), id="behind the start of 33 bits"),
        pytest.param(lambda n: 30 * (30 <= n < 34), id="four in a row"),
        pytest.param(lambda n: 30 * (n % 10 == 5), id="six"),
        pytest.param(lambda n: -0.1 * (n == 30), id="the same twice"),
    ],
)
def test_wrong_time_stamps_do_not_move_the_frames_around_them(
    stream: bytes, tmp_path: Path, shift_s: Callable[[int], float]
):
    path = tmp_path / "wrong.ts"
    path.write_bytes(restamped(stream, shift_s))
    assert seen(path) == steady()
    check_any_start(path)
    with FileSource(path) as source:
        wrong = sum(shift_s(number) != 0 for number in range(FRAMES))
        assert len(list(source.frames())) == FRAMES
        assert source.warning.endswith(
            f"{wrong} frames had wrong time stamps, which were corrected"
        )


@pytest.mark.parametrize(
    ("shift_s", "told"),
    [
        pytest.param(lambda n: -3 * (n >= 30), "2.9", id="anew"),
        pytest.param(lambda n: 1000 * (n >= 30), "2.9", id="far ahead"),
        pytest.param(lambda n: -2 * (n >= 20) - 2 * (n >= 40), "1.9, 3.9", id="twice"),
        pytest.param(lambda n: 30 * (n == 0), "0.0", id="behind the first frame"),
    ],
)
def test_a_clock_that_starts_anew_goes_on_behind_the_first(
    stream: bytes, tmp_path: Path, shift_s: Callable[[int], float], told: str
):
    path = tmp_path / "anew.ts"
    path.write_bytes(restamped(stream, shift_s))
    assert seen(path) == steady()
    check_any_start(path)
    with FileSource(path) as source:
        assert len(list(source.frames())) == FRAMES
        assert f"its clock starts anew at {told} s" in source.warning


def test_two_recordings_in_one_file_are_one(tmp_path: Path):
    parts = [
        write_video(tmp_path / f"{first}.ts", map(picture, range(first, first + 30)), fps=FPS)
        for first in (0, 30)
    ]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert seen(both) == steady()
    check_any_start(both)


def test_a_pause_of_a_steady_recording_is_a_gap(stream: bytes, tmp_path: Path):
    path = tmp_path / "pause.ts"
    path.write_bytes(restamped(stream, lambda n: 4 * (n >= 40)))
    with FileSource(path) as source:
        times = [frame.pts_s for frame in source.frames()]
        (gap,) = source.gaps
    assert times[39:41] == pytest.approx([3.9, 8.0])
    assert (gap.reason, lasted_s(gap)) == ("missing", pytest.approx(4.1))
    assert "nothing was recorded for 4.0 s (1 times)" in source.warning


def without(path: Path, lost: Callable[[int], bool]) -> Path:
    """The same file without some of its packets."""
    copy = path.with_name(f"lost-{path.name}")
    with av.open(str(path)) as given, av.open(str(copy), "w") as kept:
        video = given.streams.video[0]
        stream = kept.add_stream_from_template(video)
        for number, packet in enumerate(given.demux(video)):
            if packet.dts is not None and not lost(number):
                packet.stream = stream
                kept.mux(packet)
    return copy


def test_pictures_that_lack_what_they_rest_on_are_told_with_their_time(tmp_path: Path):
    pictures = map(picture, range(FRAMES))
    path = write_video(tmp_path / "a.mkv", pictures, "libx265", fps=FPS, coding=Coding(gop=20))
    with FileSource(without(path, lambda number: number % 20 == 5)) as source:
        shown = [number_of(frame.image) for frame in source.frames()]
        gaps = [lasted_s(gap) for gap in source.gaps]
        reasons = {gap.reason for gap in source.gaps}
    assert shown == [number for number in range(FRAMES) if number % 20 < 5]
    assert gaps == pytest.approx([1.6, 1.6, 1.5])
    assert reasons == {"damaged"}
    assert "42 pictures could not be decoded, which leaves out 4.5 s" in source.warning


def test_damage_before_the_asked_stretch_is_not_told(tmp_path: Path):
    pictures = map(picture, range(FRAMES))
    path = write_video(tmp_path / "a.mkv", pictures, "libx265", fps=FPS, coding=Coding(gop=20))
    lost = without(path, lambda number: number == 5)
    with FileSource(lost, start_s=2.5) as source:
        assert [number_of(frame.image) for frame in source.frames()] == list(range(25, FRAMES))
        assert (source.warning, source.gaps) == ("", [])


def test_a_lost_packet_of_a_transport_stream_is_told(stream: bytes, tmp_path: Path):
    path = tmp_path / "lost.ts"
    packets = [stream[at : at + 188] for at in range(0, len(stream), 188)]
    video = [n for n, one in enumerate(packets) if (one[1] & 31) << 8 | one[2] == 256]
    gone = set(video[len(video) // 2 : len(video) // 2 + 12])
    path.write_bytes(b"".join(one for n, one in enumerate(packets) if n not in gone))
    with FileSource(path) as source:
        frames = list(source.frames())
        assert "could not be decoded, which leaves out" in source.warning
    times = [frame.pts_s for frame in frames]
    assert times == pytest.approx([number_of(frame.image) / FPS for frame in frames], abs=0.002)


def test_frames_of_one_time_stamp_are_refused_until_a_rate_is_given(tmp_path: Path):
    path = tmp_path / "still.ts"
    still = write_video(tmp_path / "a.ts", map(picture, range(FRAMES)), fps=FPS)
    path.write_bytes(restamped(still.read_bytes(), lambda n: -n / FPS))
    with pytest.raises(SourceError, match=r"all its frames carry one time stamp.*--assume-fps 25"):
        seen(path)
    assert seen(path, assume_fps=5) == steady(5)
    assert seen(path, 2.1, assume_fps=5) == [(n, pytest.approx(n / 5)) for n in range(11, FRAMES)]
