"""Where a recording is calm, and what moves in normal footage."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from app.errors import UsageError
from app.progress import Reporter
from app.sources.glance import ENOUGH, MOST, ends_before, glance
from app.watching.calm import (
    CAMERA_MOVES,
    NORMAL_PICTURE,
    RESTLESS,
    moving_parts,
    normal_view_of,
)
from app.watching.checks import check_length, normal_stretch
from app.watching.first_look import advise, choose
from detectors.types import Pixels

FPS = 5
SECONDS = 60
VIEW = np.kron(
    np.random.default_rng(1).integers(60, 200, (12, 16, 3)), np.ones((10, 10, 1))
).astype(np.uint8)
"""A still view [120, 160, 3]."""


def view(at_s: float, *, walker: bool = False, light: int = 0) -> Pixels:
    """The view with sensor noise, brighter by `light`, and with somebody who walks through."""
    noise = np.random.default_rng(round(at_s * 100)).normal(0, 3, VIEW.shape)
    image = np.clip(VIEW + noise + light, 0, 255).astype(np.uint8)
    if walker:
        left = round(at_s * 37) % 140
        image[40:90, left : left + 20] = 255 - image[40:90, left : left + 20]
    return image


def write(path: Path, pictures: Iterator[Pixels], key_s: int = 2) -> Path:
    """A video with a key frame every `key_s` seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, width=160, height=120)
        stream.pix_fmt, stream.gop_size = "yuv420p", key_s * FPS
        stream.options = {"preset": "ultrafast", "crf": "12", "sc_threshold": "0"}
        for image in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def film(path: Path, calm: tuple[float, float], seconds: int = SECONDS, key_s: int = 2) -> Path:
    """A recording in which somebody walks about except during `calm`."""

    def pictures() -> Iterator[Pixels]:
        for number in range(seconds * FPS):
            at_s = number / FPS
            yield view(at_s, walker=not calm[0] <= at_s < calm[1])

    return write(path, pictures(), key_s)


def test_the_calmest_part_is_found_and_can_be_copied(tmp_path: Path):
    path = film(tmp_path / "day.mp4", (24, 42))
    told = str(advise(path, ["audit", str(path), "--no-draw"]))
    assert told.startswith("say what is normal: exactly one of --normal VIDEO, ")
    command = told.strip().splitlines()[-1].split()
    assert command[:4] == ["nomaly", "audit", str(path), "--no-draw"]
    assert command[4::2] == ["--normal-from", "--normal-for"]
    assert 24 <= float(command[5]) <= 27
    assert command[7] == "15"
    assert "0.0% of the view moves there" in told


def test_a_calm_start_is_preferred(tmp_path: Path):
    path = film(tmp_path / "day.mp4", (0, 60))
    assert (
        str(advise(path, ["audit", "day.mp4"]))
        .strip()
        .endswith("nomaly audit day.mp4 --normal-first 15")
    )
    chosen = choose(path, Reporter(quiet=True))
    assert (chosen.from_s, chosen.for_s) == (0, 15)


def test_people_who_walk_through_everywhere_are_told(tmp_path: Path):
    path = film(tmp_path / "day.mp4", (99, 99))
    assert "what moves counts as normal; footage without it" in str(advise(path, []))


def test_a_moving_camera_is_told(tmp_path: Path):
    wide = np.concatenate([VIEW, VIEW[:, ::-1], VIEW[::-1], VIEW[::-1, ::-1]], axis=1)
    pictures = (np.ascontiguousarray(wide[:, at : at + 160]) for at in range(300))
    path = write(tmp_path / "pan.mp4", pictures)
    assert "it is the camera that moves" in str(advise(path, []))


@pytest.mark.parametrize("container", ["mp4", "avi", "mkv", "ts"])
def test_one_key_frame_is_enough_to_look_all_over(tmp_path: Path, container: str):
    path = film(tmp_path / f"day.{container}", (0, 60), key_s=SECONDS)
    seen = glance(path, budget_s=60)
    assert ENOUGH <= len(seen.times_s) <= MOST
    assert seen.times_s[-1] > 40
    assert (np.diff(seen.times_s) > 0).all()


def test_too_short_a_recording_gets_a_command_too(tmp_path: Path):
    path = film(tmp_path / "blink.mp4", (0, 60), seconds=2)
    assert "blink.mp4 is too short" in str(advise(path, ["audit", "blink.mp4"]))
    with pytest.raises(UsageError, match=r"--normal auto: .* is too short"):
        choose(path, Reporter(quiet=True))


def test_noise_and_changes_of_light_are_no_movement():
    frames = [view(at_s, light=2 * at_s) for at_s in range(20)]
    assert normal_view_of(frames).moving < RESTLESS / 4
    grey = np.stack([frame[..., 1] for frame in frames])
    assert moving_parts(grey).shape == grey.shape


def test_restless_normal_footage_is_told_with_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    seen = normal_view_of([view(at_s, walker=True) for at_s in range(20)])
    assert RESTLESS < seen.moving < CAMERA_MOVES
    seen.tell(tmp_path, Reporter())
    seen.save(tmp_path, Reporter())
    told = " ".join(capsys.readouterr().err.split())
    assert f"Restless: {100 * seen.moving:.1f}% of the view moves in the normal footage" in told
    with Image.open(tmp_path / NORMAL_PICTURE) as picture:
        marked = np.asarray(picture).astype(int)
    redder = marked[..., 0] - marked[..., 2]
    usual = VIEW[..., 0].astype(int) - VIEW[..., 2]
    assert (redder - usual)[45:85, 20:120].mean() > 20
    assert abs((redder - usual)[100:].mean()) < 5


def test_a_calm_view_is_not_remarked_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    normal_view_of([view(at_s) for at_s in range(20)]).tell(tmp_path, Reporter())
    assert capsys.readouterr().err == ""


def test_footage_beyond_the_end_is_refused_and_a_second_of_rounding_is_not(tmp_path: Path):
    path = film(tmp_path / "day.mp4", (0, 60), seconds=10)
    assert ends_before(path, 9) is None
    assert ends_before(path, 10.3) is None
    assert ends_before(path, 100) == pytest.approx(10, abs=0.2)
    beyond = normal_stretch(None, 5, 30)
    assert beyond is not None
    with pytest.raises(UsageError, match=r"until 35: .*day\.mp4 ends after 10\.0 s"):
        check_length(path, beyond, "until")
