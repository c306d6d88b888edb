"""Pictures of an RTSP or HTTP camera, whatever it is made of."""

import errno
import http.client
import re
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import closing

import av
import av.error
from av.container import InputContainer

from app.address import Address, split_address
from app.sources.container import Decoder
from app.sources.jpegs import JpegSplitter, codec_of, decoded, jpegs_in
from app.sources.publisher import Picture, Publisher, ReadRequest
from app.sources.web import ReadError, Web

SNAPSHOT_FPS = 5.0
"""How often a single picture is asked for where nobody says how many frames are wanted."""
_HEAD_BYTES = 2048
_BODY_BYTES = 1 << 16
_CLOCKLESS = {"mpjpeg", "mjpeg"}
"""Formats without times, for which FFmpeg invents 25 frames a second."""
_BURSTING = {"hls", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi"}
"""Formats that arrive many seconds at once and are to be played at their own pace."""
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_LISTS = (b"#EXTM3U", b"v=0", b"<MPD", b"<?xml")
"""Texts that say where a stream is."""


def network_pictures(request: ReadRequest, publisher: Publisher) -> Generator[Picture]:
    """Connect to an RTSP or HTTP address and yield its frames until it ends."""
    address = split_address(request.address)
    if address.scheme.lower() in ("http", "https") and not _by_proxy(address):
        yield from _web_pictures(address, request, publisher)
    else:
        yield from _opened(address, request, publisher)


def _web_pictures(
    address: Address, request: ReadRequest, publisher: Publisher
) -> Iterator[Picture]:
    """Look at the answer before it is known what reads it."""
    with closing(Web(address, request.open_s, literal=request.literal)) as web:
        try:
            response = web.get()
            head = response.peek(_HEAD_BYTES)
        except http.client.HTTPException:
            # Not quite HTTP: FFmpeg is less particular.
            response, head = None, b""
        if response is None:
            yield from _opened(address, request, publisher)
            return
        if web.literal and not request.literal:
            publisher.learn(literal=True)
        kind = response.headers.get_content_type() if "Content-Type" in response.headers else ""
        if codec_of(head) or kind.startswith("multipart/"):
            yield from _still_pictures(web, response, request, publisher)
            return
        _refuse_page(kind, head)
        if response.length is not None or head.lstrip().startswith(_LISTS):
            # A file or a list of them, which FFmpeg reads in its own order.
            web.close()
            yield from _opened(address, request, publisher)
            return
        body = _Body(response, publisher)
        with av.open(body, mode="r", options=_options(request)) as container:
            yield from _decoded(container, publisher)


def _refuse_page(kind: str, head: bytes) -> None:
    """Refuse what is written for people or programs; what a stream is called is not believed."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise ReadError("codec", "this is the address of a web page, not of a picture or stream")
    written = kind.startswith("text/") or kind == "application/json"
    if written and not _NOT_TEXT.search(head) and not text.startswith(_LISTS):
        raise ReadError("codec", f"this is the address of a text ({kind}), not of a stream")


def _still_pictures(
    web: Web, response: http.client.HTTPResponse, request: ReadRequest, publisher: Publisher
) -> Iterator[Picture]:
    """Pictures one after another in one answer, or one in every answer."""
    if codec_of(response.peek(_HEAD_BYTES)) not in ("", "mjpeg"):
        yield from _snapshots(web, response.read(), response, request, publisher)
        return
    count, broken, last, splitter = 0, 0, b"", JpegSplitter()
    for last in jpegs_in(_Body(response, publisher).read, splitter):
        picture = decoded(last)
        count += 1
        broken += picture is None
        publisher.corrupt = broken + splitter.damaged
        if picture is not None:
            yield picture, None
    if count == 1:
        # To its very end, or the connection cannot be asked again.
        response.read()
        yield from _snapshots(web, last, response, request, publisher)


def _snapshots(
    web: Web,
    data: bytes,
    response: http.client.HTTPResponse,
    request: ReadRequest,
    publisher: Publisher,
) -> Iterator[Picture]:
    """Ask again and again for a picture, which was shown as it is in `data`.

    One that has not changed is shown again, so that a camera whose picture stands is seen to.
    """
    step_s = 1 / (request.sample_fps or SNAPSHOT_FPS)
    picture, next_s = decoded(data), time.monotonic()
    while True:
        next_s = max(next_s + step_s, time.monotonic())
        time.sleep(max(0.0, next_s - time.monotonic()))
        tag = response.headers.get("ETag", "")
        response = web.get({"If-None-Match": tag} if tag else None)
        fresh = response.read()
        publisher.heard()
        if response.status != http.client.NOT_MODIFIED and fresh != data:
            data, picture = fresh, decoded(fresh)
        if picture is None:
            publisher.corrupt += 1
        else:
            yield picture, None


class _Body:
    """The rest of an answer as a file that FFmpeg reads; every byte is a sign of life."""

    def __init__(self, response: http.client.HTTPResponse, publisher: Publisher) -> None:
        self._response = response
        self._publisher = publisher

    def read(self, most: int = _BODY_BYTES) -> bytes:
        """What there is, at most so many bytes; none at the end."""
        data = self._response.read1(min(most, _BODY_BYTES))
        self._publisher.heard()
        return data


def _opened(address: Address, request: ReadRequest, publisher: Publisher) -> Iterator[Picture]:
    with _open(address, request, publisher) as container:
        yield from _decoded(container, publisher)


def _open(address: Address, request: ReadRequest, publisher: Publisher) -> InputContainer:
    """Open an address as it is typed, or else with its login taken literally."""
    try:
        return _open_by(address.url(literal=request.literal), request, publisher)
    except av.error.HTTPUnauthorizedError:
        if request.literal or address.url() == address.url(literal=True):
            raise
        # Once only: cameras lock accounts after a few wrong passwords.
        container = _open_by(address.url(literal=True), request, publisher)
        publisher.learn(literal=True)
        return container


def _open_by(url: str, request: ReadRequest, publisher: Publisher) -> InputContainer:
    """Open an address, over UDP where TCP is not offered."""
    options = _options(request)
    if not url.lower().startswith("rtsp"):
        return av.open(url, options=options, timeout=request.open_s)
    # Over UDP a lost packet looks like an object.
    first, second = ("udp", "tcp") if request.udp else ("tcp", "udp")
    try:
        return av.open(url, options={**options, "rtsp_transport": first}, timeout=request.open_s)
    except av.error.FFmpegError as error:
        if not _wants_another(error):
            raise
    container = av.open(url, options={**options, "rtsp_transport": second}, timeout=request.open_s)
    publisher.learn(udp=second == "udp")
    return container


def _options(request: ReadRequest) -> dict[str, str]:
    # Measuring the frame rate would take the first second; the camera's word is enough.
    return {"timeout": str(round(request.open_s * 1e6)), "fpsprobesize": "0"}


def _wants_another(error: av.error.FFmpegError) -> bool:
    """Whether a camera refused the transport, and not the client or the address."""
    return error.errno == errno.EPROTONOSUPPORT or isinstance(
        error,
        av.error.HTTPOtherClientError | av.error.HTTPServerError | av.error.HTTPBadRequestError,
    )


def _decoded(container: InputContainer, publisher: Publisher) -> Iterator[Picture]:
    stream = container.streams.best("video")
    if not isinstance(stream, av.VideoStream):
        raise ReadError("codec", "it sends no video")
    if stream.codec_context is None:
        raise ReadError(
            "codec", "its video is in a format that cannot be decoded here; H.264 and H.265 can"
        )
    # Frame threads would hold back as many frames as there are threads.
    stream.thread_type = "SLICE"
    publisher.opened(stream)
    form = container.format.name
    decoder = Decoder(container, stream, live=True)
    decoder.heard = publisher.heard
    packets = publisher.keep_packets(stream)
    if packets is not None:
        decoder.taken = packets.take
    begun_s: float | None = None
    in_vain: int | None = None
    for frame, pts_s in decoder.frames():
        # What came before the first key frame was not damaged.
        in_vain = decoder.damaged if in_vain is None else in_vain
        publisher.corrupt = decoder.damaged - in_vain
        if packets is not None:
            packets.came(frame)
        if form in _BURSTING:
            now_s = time.monotonic()
            begun_s = now_s - pts_s if begun_s is None else begun_s
            time.sleep(max(0.0, begun_s + pts_s - now_s))
        yield frame, None if form in _CLOCKLESS else pts_s


def _by_proxy(address: Address) -> bool:
    scheme = address.scheme.lower()
    return scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(address.host)
