"""Real RTSP cameras looked at before they are watched: what they send, and what is wrong."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.checkup.cameras import advice, examine_camera
from app.checkup.site import examine_site
from app.doctor import Finding
from app.sources.probe import Probe, probe
from app.watching.watch import WatchRequest
from detectors.types import Pixels
from tests.peers.camera import RtspCamera, write_units
from tests.peers.http_peers import mjpeg_camera, mute_server, web_server
from tests.peers.pattern import picture

CANARY = "canary-hunter2"


def request_of(source: str, **other: object) -> WatchRequest:
    return WatchRequest(source=source, out=Path("x"), learn_s=60, camera="hall", **other)  # type: ignore[arg-type]


def large_units(size: tuple[int, int], count: int) -> Iterator[av.Packet]:
    """H.264 with B-frames and one key frame, as a careless camera sends it."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.options = {"preset": "ultrafast", "bf": "2", "sc_threshold": "0"}
    encoder.time_base, encoder.framerate = Fraction(1, 20), Fraction(20)
    encoder.pix_fmt, encoder.gop_size, encoder.max_b_frames = "yuv420p", 1000, 2
    encoder.height, encoder.width = size
    for number in range(count):
        image = np.full((*size, 3), 90, np.uint8)
        image[40:120, 4 * number : 4 * number + 100] = 200
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 20)
        yield from encoder.encode(frame)
    yield from encoder.encode(None)


def test_a_site_is_looked_at_camera_by_camera_without_a_secret(
    rtsp_camera: RtspCamera, tmp_path: Path
):
    rtsp_camera.start(login=f"ann:{CANARY}")
    path = tmp_path / "site.yaml"
    (tmp_path / ".env").write_text(f"PW={CANARY}\n")
    (tmp_path / ".env").chmod(0o600)
    address = rtsp_camera.url.replace("//", "//ann:${PW}@")
    lines = ["version: 1", "site: nicol", "defaults: {learn: 60s}", "cameras:"]
    lines += [f'  hall: {{source: "{address}"}}', f'  yard: {{source: "{address}x"}}']
    lines += [f'  gate: {{source: "{rtsp_camera.url.replace("//", "//ann:wrong${PW}@")}"}}']
    lines += ["  away: {source: rtsp://127.0.0.1:9/x}", "  shed: {source: 192}"]
    path.write_text("\n".join(lines))
    found = {one.name: one for one in examine_site(path, 7)}
    assert CANARY not in f"{found}"
    states = {name[7:]: one.state for name, one in found.items() if name.startswith("camera ")}
    assert states == {"hall": "ok", **dict.fromkeys(("yard", "gate", "away", "shed"), "fault")}
    for name, detail, remedy in (
        ("yard", "nothing at this address", "check the path"),
        ("gate", "login refused", "check user and password"),
        ("away", "connection refused", "check host and port"),
        ("shed", "there is no /dev/video192", "correct its source"),
    ):
        assert detail in found[f"camera {name}"].detail
        assert remedy in found[f"camera {name}"].remedy
    hall = found["camera hall"].detail
    for part in ("h264 256x120", "frames/s (25 announced)", "a key frame every 1.0 s"):
        assert part in hall
    for part in ("no B-frames", "decoding key frames alone", "its clock is 0."):
        assert part in hall


def test_a_careless_camera_is_advised(gst_python: str, tmp_path: Path):
    units = tmp_path / "large.au"
    write_units(units, large_units((160, 1320), 140))
    camera = RtspCamera(gst_python, units, tmp_path)
    try:
        camera.start()
        found = list(examine_camera(request_of(camera.url), 6.5))
    finally:
        camera.stop()
    assert found[0].state == "ok"
    told = {one.name.partition(": ")[2]: one for one in found[1:]}
    assert {"key frames", "B-frames", "size"} <= told.keys()
    assert "looks at 640x78 of it" in told["size"].detail
    assert all(one.state == "warning" and one.remedy for one in told.values())


def test_a_camera_that_freezes_a_mute_one_and_one_that_shows_a_page_are_told():
    with mjpeg_camera("", 10) as camera:

        def shows(number: int) -> Pixels:
            if number == 9:
                camera.frozen.set()
            return picture(number)

        camera.shows = shows
        frozen = list(examine_camera(request_of(camera.url), 5))
    assert [one.state for one in frozen][:2] == ["ok", "warning"]
    assert "no new picture for" in frozen[1].detail
    with mute_server() as host:
        assert probe(f"rtsp://{host}/x", 1).reason == "timeout"
    with web_server(lambda asked: asked.give(b"<html>hello", "text/html")) as host:
        (found,) = examine_camera(request_of(f"http://ann:{CANARY}@{host}/"), 2)
    assert (found.state, "web page" in found.detail) == ("fault", True)
    assert CANARY not in f"{found}"


def test_pictures_over_http_are_counted():
    with mjpeg_camera(f"ann:{CANARY}", 10) as camera:
        login = camera.url.replace("//", f"//ann:{CANARY}@")
        found = probe(login, 2)
    assert found.reason is None
    assert found.fps == pytest.approx(10, rel=0.5)
    assert (found.size, found.codec, found.keyframe_s) == (picture(0).shape[:2], "", None)


GOOD = Probe(connect_s=1, watched_s=9, frames=225, announced_fps=25, fps=25, size=(360, 640),
             codec="h264", keyframe_s=2, keyframes=5, b_frames=False, cpu=0.1)  # fmt: skip


def names(found: Iterator[Finding]) -> list[str]:
    return [one.name.partition(": ")[2] for one in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"fps": 20.0}, ["rate"]),
        ({"fps": 3.0}, ["rate", "pace"]),
        ({"announced_fps": None, "fps": 3.0}, ["pace"]),
        ({"damaged": 7}, ["damage"]),
        ({"keyframe_s": None, "keyframes": 1}, ["key frames"]),
        ({"keyframe_s": 10.0}, ["key frames"]),
        ({"codec": "", "keyframe_s": None}, []),
        ({"cpu": 0.8}, ["cost"]),
        ({"size": (1080, 1920)}, ["size"]),
        ({"clock_s": -90.0}, ["clock"]),
        ({"drift_ppm": 5000.0, "drift_bound_ppm": 100.0}, ["pace of its clock"]),
        ({"drift_ppm": 5000.0, "drift_bound_ppm": 4500.0}, []),
    ],
)
def test_each_weakness_has_its_advice(fields: dict[str, object], expected: list[str]):
    found = Probe(**{**GOOD.as_json(), **fields})  # type: ignore[arg-type]
    assert names(advice("camera hall", found, request_of("rtsp://hall/1", fps=5.0))) == expected


def test_a_view_of_another_shape_than_was_learned_is_a_fault(tmp_path: Path):
    (tmp_path / "detector.json").write_text('{"frame_size": [480, 640]}')
    asked = request_of("rtsp://hall/1", detector=tmp_path)
    (found,) = advice("camera hall", GOOD, asked)
    assert (found.name, found.state) == ("camera hall: shape", "fault")
    assert "the detector learned 640x480" in found.detail
