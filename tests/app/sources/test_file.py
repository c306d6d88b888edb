"""Video files: every frame with its time, damage survived, everything else refused clearly."""

import os
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.sources.base import SourceError
from app.sources.decode import Sampler
from app.sources.file import FileSource
from app.sources.open import check_recording, open_recording
from novic.errors import UsageError
from tests.peers.pattern import SIZE, Coding, number_of, numbered, picture, write_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered(tmp_path_factory.mktemp("clip") / "door.mp4", 50)


def numbers(source: FileSource) -> list[int]:
    with source:
        return [number_of(frame.image) for frame in source.frames()]


def test_every_frame_comes_in_order_with_its_time(clip: Path):
    with FileSource(clip) as source:
        frames = list(source.frames())
        assert [number_of(frame.image) for frame in frames] == list(range(50))
        assert [frame.index for frame in frames] == list(range(50))
        assert [frame.pts_s for frame in frames] == pytest.approx([n / 25 for n in range(50)])
        assert source.warning == ""
        assert (source.info.size, source.info.fps) == (SIZE, 25)
        assert source.info.duration_s == pytest.approx(2)
        assert {frame.camera for frame in frames} == {"door"}


def test_pixels_are_red_first_and_own_their_memory(clip: Path):
    with FileSource(clip) as source:
        images = [frame.image for frame in source.frames()]
    assert images[0].dtype == np.uint8
    assert images[0].flags.c_contiguous
    assert np.abs(images[0][60, 20].astype(int) - (200, 90, 30)).max() < 12
    assert number_of(images[7]) == 7  # not overwritten by later frames


@pytest.mark.parametrize(("fps", "kept"), [(5, 10), (10, 20), (25, 50), (100, 50), (0.5, 1)])
def test_sampling_keeps_at_most_so_many_a_second(clip: Path, fps: float, kept: int):
    with FileSource(clip, sample_fps=fps) as source:
        frames = list(source.frames())
    assert len(frames) == kept
    assert [number_of(frame.image) for frame in frames] == [frame.index for frame in frames]


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_senseless_rate_is_refused(fps: float):
    with pytest.raises(UsageError, match="sample_fps must be a positive number"):
        Sampler(fps)


def test_reading_can_start_later(clip: Path):
    with FileSource(clip, start_s=1.2) as source:
        frames = list(source.frames())
    assert [number_of(frame.image) for frame in frames] == list(range(30, 50))
    assert frames[0].index == 30
    assert frames[0].pts_s == pytest.approx(1.2)


def test_a_later_start_samples_the_same_frames(clip: Path):
    whole = [n for n in numbers(FileSource(clip, sample_fps=7)) if n >= 25]
    assert numbers(FileSource(clip, sample_fps=7, start_s=1.0))[1:] == whole[1:]


def test_a_start_after_the_end_is_refused(clip: Path):
    with pytest.raises(SourceError, match=r"ends after 2\.0 s, so there is nothing from 9 s on"):
        FileSource(clip, start_s=9)


def test_variable_rate_keeps_the_times(tmp_path: Path):
    times = [0.0, 0.04, 0.5, 0.51, 3.0]
    path = write_video(tmp_path / "vfr.mkv", map(picture, range(5)), times_s=times)
    with FileSource(path) as source:
        assert [frame.pts_s for frame in source.frames()] == pytest.approx(times, abs=0.002)
        assert source.warning == ""


def test_taking_frames_goes_on_where_it_stopped(clip: Path):
    with FileSource(clip) as source:
        first = [
            number_of(frame.image) for frame, _ in zip(source.frames(), range(3), strict=False)
        ]
        rest = [number_of(frame.image) for frame in source.frames()]
    assert first == [0, 1, 2]
    assert rest[-1] == 49


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_turned_and_mirrored_video_stands_upright(tmp_path: Path, rotation: int, mirrored: bool):
    upright = picture(5)
    shown = upright[:, ::-1] if mirrored else upright
    stored = np.ascontiguousarray(np.rot90(shown, -rotation // 90))
    path = write_video(
        tmp_path / "turned.mp4",
        [stored] * 3,
        coding=Coding(rotation=rotation, mirrored=mirrored),
    )
    with FileSource(path) as source:
        frames = list(source.frames())
        assert source.info.size == SIZE
        assert [number_of(frame.image) for frame in frames] == [5, 5, 5]
        assert np.abs(frames[0].image.astype(int) - upright).mean() < 6


@pytest.mark.parametrize(
    ("name", "aspect", "rotation", "size"),
    [
        ("a.mp4", Fraction(2), 0, (120, 512)),
        ("a.mkv", Fraction(2), 0, (120, 512)),
        ("a.ts", Fraction(2), 0, (120, 512)),
        ("a.avi", Fraction(2), 0, (120, 512)),
        ("a.mp4", Fraction(8, 9), 0, (120, 228)),
        ("a.mp4", Fraction(2), 90, (512, 120)),
        ("a.mp4", Fraction(1, 100), 0, SIZE),
    ],
)
def test_wide_pixels_become_square(
    tmp_path: Path, name: str, aspect: Fraction, rotation: int, size: tuple[int, int]
):
    coding = Coding(rotation=rotation, pixel_aspect=aspect)
    path = write_video(tmp_path / name, [picture(5)] * 3, coding=coding)
    with FileSource(path) as source:
        assert source.info.size == size
        assert [frame.image.shape for frame in source.frames()] == [(*size, 3)] * 3


@pytest.mark.parametrize(
    ("codec", "pixels", "size"),
    [
        pytest.param("ffv1", "yuv420p10le", (120, 256), id="10 bit"),
        pytest.param("ffv1", "gray", (33, 17), id="grey, odd size"),
        pytest.param("ffv1", "gray16le", (32, 16), id="16 bit grey"),
        pytest.param("ffv1", "rgb48le", (32, 16), id="16 bit colour"),
        pytest.param("ffv1", "bgra", (31, 15), id="transparent"),
        pytest.param("ffv1", "bgr0", (1, 1), id="one pixel"),
        pytest.param("mjpeg", "yuvj420p", (1, 1), id="one pixel of JPEG"),
        pytest.param("libx264", "yuv444p", (51, 33), id="odd H.264"),
    ],
)
def test_formats_become_rgb(tmp_path: Path, codec: str, pixels: str, size: tuple[int, int]):
    image = np.full((*size, 3), (200, 90, 30), np.uint8)
    path = write_video(tmp_path / "x.mkv", [image] * 3, codec=codec, pixels=pixels)
    with FileSource(path) as source:
        frames = list(source.frames())
    assert len(frames) == 3
    assert frames[0].image.shape == (*size, 3)
    seen = frames[0].image[0, 0].astype(int)
    if "gray" in pixels:
        assert seen.max() - seen.min() <= 2
    else:
        assert np.abs(seen - (200, 90, 30)).max() < 12


def test_a_size_that_changes_is_not_hidden(tmp_path: Path):
    small = write_video(tmp_path / "a.ts", [picture(1)] * 5, codec="mpeg2video")
    large = write_video(tmp_path / "b.ts", [picture(2, (240, 512))] * 5, codec="mpeg2video")
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    with FileSource(both) as source:
        shapes = dict.fromkeys(frame.image.shape for frame in source.frames())
        assert source.info.size == SIZE
    assert [*shapes] == [(*SIZE, 3), (240, 512, 3)]


def test_a_truncated_file_is_delivered_as_far_as_it_goes(tmp_path: Path):
    whole = numbered(tmp_path / "whole.mkv", 200)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with FileSource(cut) as source:
        seen = [number_of(frame.image) for frame in source.frames()]
        assert 50 < len(seen) < 150
        assert seen == list(range(len(seen)))
        assert "ends after" in source.warning
        assert "of the 8.0 s it announces" in source.warning


def test_damage_in_the_middle_is_skipped_and_counted(tmp_path: Path):
    path = write_video(tmp_path / "x.mkv", map(picture, range(100)), codec="ffv1", pixels="bgr0")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 900] = os.urandom(900)
    path.write_bytes(data)
    with FileSource(path) as source:
        frames = list(source.frames())
        assert source.damaged > 0
        assert "damaged packets were skipped" in source.warning
    right = [frame for frame in frames if number_of(frame.image) == round(frame.pts_s * 25)]
    assert len(right) > 70  # lost until the next key frame, one a second
    assert number_of(frames[-1].image) == 99


def unplayable(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


JPEG = "is an image, not a video; use: nomaly name"


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        pytest.param("empty.mp4", b"", "the file is empty", id="empty"),
        pytest.param("notes.txt", b"hello\n" * 400, "not a video", id="text"),
        pytest.param("notes.mp4", b"hello\n" * 400, "not a video", id="text called mp4"),
        pytest.param("zero.mp4", bytes(5000), "not a video", id="zeros"),
        pytest.param(
            "art.ans", b"\x1b[31mhello\n" * 40, "not a video|text file", id="terminal art"
        ),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, name: str, data: bytes, why: str):
    path = unplayable(tmp_path, name, data)
    with pytest.raises(SourceError, match=why) as refusal:
        FileSource(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("suffix", "codec"), [("jpg", "mjpeg"), ("png", "png")])
def test_an_image_is_refused_with_the_command_for_images(tmp_path: Path, suffix: str, codec: str):
    pixels = "yuvj420p" if codec == "mjpeg" else "rgb24"
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.pix_fmt, encoder.time_base = pixels, Fraction(1)
    encoder.height, encoder.width = SIZE
    frame = av.VideoFrame.from_ndarray(picture(1), format="rgb24").reformat(format=pixels)
    frame.pts = 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    path = unplayable(tmp_path, f"photo.{suffix}", b"".join(bytes(packet) for packet in packets))
    with pytest.raises(SourceError, match=JPEG):
        FileSource(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path):
    with pytest.raises(SourceError, match="no such file"):
        FileSource(tmp_path / "absent.mp4")
    with pytest.raises(SourceError, match="is a folder"):
        FileSource(tmp_path)


def test_a_file_cut_before_its_index_is_refused(clip: Path, tmp_path: Path):
    path = unplayable(tmp_path, "cut.mp4", clip.read_bytes()[:2000])
    with pytest.raises(SourceError, match="not a video that can be read"):
        FileSource(path)


def test_sound_alone_is_refused(tmp_path: Path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(SourceError, match="holds no video stream"):
        FileSource(path)


def test_a_name_like_a_protocol_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    numbered(tmp_path / "x.mp4", 3).rename(tmp_path / "http:x.mp4")
    monkeypatch.chdir(tmp_path)
    assert numbers(FileSource("http:x.mp4")) == [0, 1, 2]


class TestStartTime:
    def test_given_by_the_user_wins(self, clip: Path):
        with FileSource(clip, start_time=datetime(2026, 1, 2, tzinfo=UTC)) as source:
            frames = list(source.frames())
            assert source.info.time_from == "given"
        assert frames[25].time_us - frames[0].time_us == 1_000_000
        assert frames[0].time_us == datetime(2026, 1, 2, tzinfo=UTC).timestamp() * 1_000_000

    @pytest.mark.parametrize(
        ("written", "basis"),
        [("2024-05-06T07:08:09Z", "container"), ("1970-01-01T00:00:00Z", "modified")],
    )
    def test_creation_time_if_credible_else_modification(
        self, tmp_path: Path, written: str, basis: str
    ):
        path = tmp_path / "dated.mkv"
        with av.open(str(path), "w") as container:
            container.metadata["creation_time"] = written
            stream = container.add_stream("ffv1", rate=25)
            assert isinstance(stream, av.VideoStream)
            stream.height, stream.width = SIZE
            stream.pix_fmt = "bgr0"
            for _ in range(25):
                frame = av.VideoFrame.from_ndarray(picture(0), format="rgb24")
                container.mux(stream.encode(frame.reformat(format="bgr0")))
            container.mux(stream.encode(None))
        os.utime(path, (1_700_000_001, 1_700_000_001))
        with FileSource(path) as source:
            first = next(source.frames())
            assert source.info.time_from == basis
        if basis == "container":
            assert first.time_us == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC).timestamp() * 1e6
        else:
            assert first.time_us == pytest.approx(1_700_000_000_000_000, abs=50_000)


def test_a_recording_may_be_named_by_digits_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    numbered(tmp_path / "day.mp4", 3).rename(tmp_path / "20240101")
    monkeypatch.chdir(tmp_path)
    check_recording("20240101")
    with open_recording("20240101") as recording:
        assert len(list(recording.frames())) == 3
