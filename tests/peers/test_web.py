"""What cameras answer over HTTP, in all the ways they do it, and what is no camera at all."""

import hashlib
import itertools
import re
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from urllib.parse import quote

import av
import numpy as np
import pytest

from app.sources.base import SourceError
from app.sources.live import LiveCamera
from app.sources.patience import LiveSettings
from detectors.types import Pixels
from tests.peers.consumer import Consumer, wait_for
from tests.peers.http_peers import Asked, jpeg, web_server
from tests.peers.pattern import SIZE, picture


def why_not(live: LiveCamera) -> str:
    """Why the first connection to a camera failed."""
    wait_for("a failure", lambda: live.gaps != [])
    return live.gaps[0].detail


def numbered_jpegs(fps: float = 20) -> Iterator[bytes]:
    for number in itertools.count():
        yield jpeg(number)
        time.sleep(1 / fps)


def part(data: bytes, boundary: str = "--frame", *headers: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (boundary, *headers))
    return head.encode() + b"\r\n" + data + b"\r\n"


def bare(data: bytes) -> bytes:
    return data


def without_dashes(data: bytes) -> bytes:
    return part(data, "frame", "Content-Type: image/jpeg", f"Content-Length: {len(data)}")


def without_lengths(data: bytes) -> bytes:
    return part(data, "--frame", "Content-Type: image/jpeg")


def with_wrong_lengths(data: bytes) -> bytes:
    return part(data, "--frame", "Content-Type: image/jpeg", "Content-Length: 12")


def without_any_headers(data: bytes) -> bytes:
    return part(data)


MIXED = "multipart/x-mixed-replace; boundary=frame"


@pytest.mark.parametrize(
    ("wrap", "kind"),
    [
        (bare, "video/x-motion-jpeg"),
        (bare, "image/jpeg"),
        (bare, "application/octet-stream"),
        (bare, "text/html"),
        (without_dashes, MIXED),
        (without_lengths, 'multipart/x-mixed-replace; boundary="--frame"'),
        (with_wrong_lengths, MIXED),
        (without_any_headers, "multipart/mixed"),
    ],
)
def test_jpeg_pictures_are_found_whatever_stands_between_them(
    wrap: Callable[[bytes], bytes], kind: str
):
    def answer(asked: Asked) -> None:
        asked.stream(map(wrap, numbered_jpegs()), kind)

    with web_server(answer) as place, Consumer(LiveCamera(f"http://{place}/video")) as consumer:
        consumer.sees_more(15)
    assert consumer.numbers == sorted(set(consumer.numbers))
    assert consumer.frames[0].image.shape == (*SIZE, 3)
    assert np.abs(consumer.frames[0].image[60, 20].astype(int) - (200, 90, 30)).max() < 12
    assert (consumer.source.stats.attempts, consumer.source.gaps) == (1, [])


def test_a_picture_that_broke_off_is_counted_and_costs_only_itself():
    def parts() -> Iterator[bytes]:
        for number, data in enumerate(numbered_jpegs()):
            yield data[: len(data) // 2] if number % 4 == 1 else data

    with (
        web_server(lambda asked: asked.stream(parts(), "image/jpeg")) as place,
        Consumer(LiveCamera(f"http://{place}/video")) as consumer,
    ):
        consumer.sees_more(12)
    assert not [number for number in consumer.numbers if number % 4 == 1]
    assert consumer.source.stats.corrupt >= 2


class Snapshots:
    """A camera with one picture an answer; a new one every `every` answers."""

    def __init__(self, *, tagged: bool, every: int = 1) -> None:
        self.asked = 0
        self.unchanged = 0
        self._tagged = tagged
        self._every = every

    def __call__(self, asked: Asked) -> None:
        number = self.asked // self._every
        self.asked += 1
        tag = f'"{number}"'
        if self._tagged and asked.headers.get("If-None-Match") == tag:
            self.unchanged += 1
            asked.give(b"", "image/jpeg", 304, ETag=tag)
        else:
            headers = {"ETag": tag} if self._tagged else {}
            asked.give(jpeg(number), "image/jpeg", 200, **headers)


@pytest.mark.parametrize("sample_fps", [10.0, None])
def test_an_address_of_single_pictures_is_asked_again_and_again(sample_fps: float | None):
    camera = Snapshots(tagged=False)
    with (
        web_server(camera) as place,
        Consumer(LiveCamera(f"http://{place}/snapshot.jpg", sample_fps=sample_fps)) as consumer,
    ):
        consumer.sees_more(10)
    assert consumer.numbers[:10] == sorted(set(consumer.numbers[:10]))
    assert (consumer.source.stats.attempts, consumer.source.gaps) == (1, [])
    # Not faster than frames are wanted, or five times a second.
    assert camera.asked <= consumer.frames[-1].pts_s * (sample_fps or 5) + 3


@pytest.mark.parametrize("tagged", [True, False])
def test_a_single_picture_that_stays_the_same_is_shown_again_and_again(tagged: bool):
    camera = Snapshots(tagged=tagged, every=1000)
    with (
        web_server(camera) as place,
        Consumer(LiveCamera(f"http://{place}/snapshot.jpg", sample_fps=20)) as consumer,
    ):
        consumer.sees_more(10)
    assert set(consumer.numbers) == {0}
    assert all(np.array_equal(one.image, consumer.frames[0].image) for one in consumer.frames)
    assert (camera.unchanged > 0) == tagged
    assert consumer.source.gaps == []


def test_a_png_picture_does_as_well():
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = SIZE[1], SIZE[0], "rgb24"
    encoder.time_base = Fraction(1, 5)
    (packet,) = encoder.encode(av.VideoFrame.from_ndarray(picture(7), "rgb24"))
    data = bytes(packet)
    with (
        web_server(lambda asked: asked.give(data, "image/png")) as place,
        Consumer(LiveCamera(f"http://{place}/snapshot.png")) as consumer,
    ):
        consumer.sees_more(3)
    assert consumer.numbers[:3] == [7, 7, 7]


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (
            b"<!DOCTYPE html><title>IPCam</title>",
            "text/html",
            "the address of a web page, not of a",
        ),
        (b"\r\n<html><body>", "application/octet-stream", "the address of a web page"),
        (b'{"error": "no"}', "application/json", r"the address of a text \(application/json\)"),
        (
            b"ffconcat version 1.0\nfile a.mp4\n",
            "text/plain",
            r"the address of a text \(text/plain",
        ),
    ],
)
def test_what_is_no_picture_and_no_stream_is_told_as_what_it_is(
    body: bytes, kind: str, sentence: str
):
    with (
        web_server(lambda asked: asked.give(body, kind)) as place,
        LiveCamera(f"http://{place}/") as live,
    ):
        assert re.search(sentence, why_not(live))


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(404, r"nothing at this address \(404"), (503, "the server answers 503"), (403, "refused")],
)
def test_what_a_server_answers_instead_is_told(status: int, sentence: str):
    with (
        web_server(lambda asked: asked.give(b"", "text/plain", status)) as place,
        LiveCamera(f"http://{place}/") as live,
    ):
        assert re.search(sentence, why_not(live))


def test_a_redirect_is_followed():
    def answer(asked: Asked) -> None:
        if asked.path == "/":
            asked.give(b"", "text/plain", 302, Location="/cam/video")
        else:
            asked.stream(numbered_jpegs(), "image/jpeg")

    with web_server(answer) as place, LiveCamera(f"http://{place}/") as live:
        assert live.connect(10).size == SIZE


def test_a_redirect_to_something_else_than_the_web_is_refused():
    def answer(asked: Asked) -> None:
        asked.give(b"", "text/plain", 302, Location="file:///etc/passwd")

    with web_server(answer) as place, LiveCamera(f"http://{place}/") as live:
        assert "it redirects to a file:// address" in why_not(live)


def digest_of(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def lets_in(asked: Asked, password: str) -> bool:
    """Whether a request answers the challenge of a camera with Digest (RFC 2617)."""
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', asked.headers.get("Authorization", "")))
    secret = digest_of(f"ann:cam:{password}")
    words = [given.get(name, "") for name in ("nonce", "nc", "cnonce", "qop")]
    wanted = digest_of(":".join([secret, *words, digest_of(f"GET:{asked.path}")]))
    return given.get("response") == wanted


SIGNS = "p#s/s?w@r:d &+[];\"'<>%ü"


@pytest.mark.parametrize(
    ("password", "typed", "tries"),
    [
        (SIGNS, SIGNS, 1),
        (SIGNS, quote(SIGNS, safe=""), 1),
        ("a%41b", "a%41b", 2),
        ("aAb", "a%41b", 1),
        ("a%41b", "a%2541b", 1),
    ],
)
def test_a_password_reaches_the_camera_as_it_was_typed(password: str, typed: str, tries: int):
    refused: list[str] = []

    def answer(asked: Asked) -> None:
        if lets_in(asked, password):
            asked.stream(numbered_jpegs(), "image/jpeg")
            return
        refused.append(asked.headers.get("Authorization", ""))
        challenge = 'Digest realm="cam", nonce="7", qop="auth"'
        asked.give(b"", "text/plain", 401, WWW_Authenticate=challenge)

    with web_server(answer) as place, LiveCamera(f"http://ann:{typed}@{place}/v?x=1") as live:
        assert live.connect(10).size == SIZE
    # Not a wrong password more than it takes: cameras lock accounts.
    assert len(refused) == tries


def test_a_wrong_password_is_tried_once():
    answers: list[str] = []

    def answer(asked: Asked) -> None:
        answers.append(asked.headers.get("Authorization", ""))
        asked.give(b"", "text/plain", 401, WWW_Authenticate='Digest realm="cam", nonce="7"')

    with (
        web_server(answer) as place,
        LiveCamera(f"http://ann:wrong@{place}/") as live,
        pytest.raises(SourceError, match=r"login refused.* \(1 attempt in up"),
    ):
        live.connect(60)
    assert [bool(given) for given in answers] == [False, True]


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_name_that_means_nothing_is_told(scheme: str):
    with LiveCamera(f"{scheme}://no-such-camera.invalid/x") as live:
        assert "the name no-such-camera.invalid cannot be resolved" in why_not(live)


@pytest.mark.parametrize("number", ["300", "99999999999"])
def test_a_webcam_of_an_impossible_number_is_told_in_a_line(number: str):
    with LiveCamera(number) as live:
        assert why_not(live) == "webcams have numbers from 0 to 255"


def stream_without_key_frames(seconds: float, key_every: int) -> bytes:
    """MPEG-TS of numbered pictures at 20 a second, one key frame in so many."""
    import io

    data = io.BytesIO()
    with av.open(data, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = SIZE[1], SIZE[0], "yuv420p"
        stream.codec_context.gop_size = key_every
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0"}
        for number in range(round(seconds * 20)):
            image: Pixels = picture(number)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    return data.getvalue()


@pytest.mark.parametrize("kind", ["text/plain", ""])
def test_a_camera_is_not_given_up_while_it_sends_and_what_it_waits_for_is_told(kind: str):
    seconds, key_every = 5.5, 55
    data = stream_without_key_frames(seconds, key_every)

    def late() -> Iterator[bytes]:
        # Everybody joins behind the first key frame, and has to wait for longer than `open_s`.
        step = 188 * max(1, round(len(data) / 188 / seconds / 20))
        for begin in range(len(data) // 100 * 8 // 188 * 188, len(data), step):
            yield data[begin : begin + step]
            time.sleep(0.05)
        time.sleep(60)

    told: list[str] = []
    settings = LiveSettings(stall_s=0.5, open_s=2)
    # What cameras and relays call their streams says nothing.
    with web_server(lambda asked: asked.stream(late(), kind)) as place:
        live = LiveCamera(f"http://{place}/x", settings=settings)
        live.connect(60, told.append)
        with Consumer(live) as consumer:
            consumer.sees_more(5)
            attempts = live.stats.attempts
            reasons = [gap.reason for gap in live.gaps]
    assert attempts == 1
    assert told == ["waiting for a key frame (data arrives, but no picture yet)"]
    assert reasons == ["waiting"]
    assert consumer.numbers[0] >= key_every
    assert live.stats.corrupt == 0


def test_a_camera_that_ends_every_connection_is_taken_up_at_once():
    joined: list[float] = []

    def answer(asked: Asked) -> None:
        joined.append(time.monotonic())
        asked.stream(itertools.islice(numbered_jpegs(), 10), "image/jpeg")

    with web_server(answer) as place, Consumer(LiveCamera(f"http://{place}/x")) as consumer:
        wait_for("many connections", lambda: len(joined) > 5)
        # None of the pauses grew: nothing has failed but what was cut off by the camera.
        assert consumer.source.stats.attempts - len(joined) <= 1
        assert {gap.reason for gap in consumer.source.gaps} == {"ended"}
