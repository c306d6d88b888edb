"""The page: its first view with many events, and what a live picture costs.

    .venv/bin/python -m benchmarks.page [--events 5000] [--seconds 20] [--width 1280]

First view: a store of so many events, served by a process of its own, ten times in a Chromium that
has kept nothing; before that, what single answers cost in this process. Live: a camera of another
process sends 25 JPEGs a second, a watch takes 5 a second of them (without a detector, whose own
load would hide the rest), and somebody looks for so many seconds or nobody does. CPU is that of the
watching process and its reader; camera and onlooker are other processes.
"""

import argparse
import multiprocessing
import os
import socket
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from pydantic import SecretStr
from selenium import webdriver
from starlette.testclient import TestClient

from app.events.event import Lasting
from app.sources.live import LiveCamera
from app.watching.board import Board, Station
from app.web.app import build_app
from app.web.guard import GuardConfig
from app.web.serving import serve_beside
from detectors.types import Box
from tests.app.web.builders import seen, write_camera
from tests.peers.test_report import OFFLINE

FPS = 25
ROUNDS = 10
TOKEN = "of-the-benchmark-alone"  # noqa: S105 - lets in nobody else
PAGE = GuardConfig(port=0, token=SecretStr(TOKEN))


def main() -> None:
    """Measure both, and print it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--width", type=int, default=1280)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        first_view(Path(folder), asked.events)
        live(Path(folder), asked.seconds, asked.width)


def first_view(folder: Path, count: int) -> None:
    """How long a browser takes for the first page."""
    pictured = 60
    many = [
        seen(number, ("cat", "person", "suitcase")[number % 3], "hall") for number in range(count)
    ]
    thin = [replace(one, picture=None) for one in many[:-pictured]]
    write_camera(folder / "hall", *thin, *many[-pictured:])
    answers(folder)
    ready = multiprocessing.get_context("spawn").Queue()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(folder, ready))
    server.start()
    address, link = ready.get(timeout=120)
    _get(address)
    plain = [_get(address) for _ in range(ROUNDS)]
    shown = _shown(address, link)
    server.terminate()
    server.join()
    print(f"first page, {count} events, {len(os.sched_getaffinity(0))} cores, median (highest), ms")
    print(f"  answer          {_told(plain)}")
    for name, at in (("drawn", 0), ("all loaded", 1)):
        print(f"  {name:<15} {_told([one[at] for one in shown])}")


def answers(folder: Path) -> None:
    """What single answers cost in this process, the browser left out."""
    print("CPU of one answer, mean of 5, ms")
    with TestClient(build_app([folder]), "http://127.0.0.1") as client:
        for path in (
            "/",
            "/?text=zzz",
            "/?verdict=expected",
            "/cameras/hall",
            "/api/v1/events?limit=500",
        ):
            client.get(path)
            began = time.process_time()
            for _ in range(5):
                client.get(path)
            print(f"  {path:<26} {200 * (time.process_time() - began):6.1f}")


def _serve(folder: Path, ready: Any) -> None:  # noqa: ANN401
    with serve_beside(folder, None, PAGE) as opened:
        ready.put((opened.address, opened.link))
        threading.Event().wait()


def _asked(address: str) -> urllib.request.Request:
    """As a script asks, with its token."""
    return urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310


def _get(address: str) -> float:
    began = time.perf_counter()
    with urllib.request.urlopen(_asked(address)) as answer:  # noqa: S310 - our own server
        answer.read()
    return 1000 * (time.perf_counter() - began)


def _shown(address: str, link: str) -> list[tuple[float, float]]:
    """When something was drawn, and when all was loaded, ms."""
    options = webdriver.ChromeOptions()
    for option in OFFLINE:
        options.add_argument(option)
    options.binary_location = "/usr/bin/chromium"
    browser = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        browser.get(link)
        return [_shown_once(browser, address) for _ in range(ROUNDS + 1)][1:]
    finally:
        browser.quit()


def _shown_once(browser: webdriver.Chrome, address: str) -> tuple[float, float]:
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.get(address)
    time.sleep(0.5)
    painted = browser.execute_script(
        "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        " ?? performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    )
    loaded = browser.execute_script(
        "return performance.getEntriesByType('navigation')[0].loadEventEnd"
    )
    return painted, loaded


def _told(values: list[float]) -> str:
    return f"{statistics.median(values):7.0f} ({max(values):.0f})"


def live(folder: Path, seconds: float, width: int) -> None:
    """What a live picture costs."""
    board = Board()
    with (
        _camera(width) as url,
        LiveCamera(url, "yard", sample_fps=5.0) as camera,
        serve_beside(folder, board, PAGE) as opened,
    ):
        write_camera(folder / "yard", seen(1, "cat", "yard"))
        camera.connect(30.0)
        station, ended = Station(folder / "yard", camera), threading.Event()
        watch = threading.Thread(target=_watch, args=(camera, station, ended))
        with board.showing(station):
            watch.start()
            path = f"{opened.address}api/v1/cameras/yard/live.mjpg"
            time.sleep(3)
            print(f"live picture, {width} wide, {FPS} a second, {seconds:g} s each")
            for onlookers in (0, 1, 4, 0):
                _measure(camera, path, onlookers, seconds)
            ended.set()
            watch.join()


def _measure(camera: LiveCamera, path: str, onlookers: int, seconds: float) -> None:
    context = multiprocessing.get_context("spawn")
    counts = context.Queue()
    there = [context.Process(target=_look, args=(path, seconds, counts)) for _ in range(onlookers)]
    for one in there:
        one.start()
    for _ in there:
        counts.get(timeout=60)
    began, cpu_s, stats = time.monotonic(), _cpu_s(), camera.stats
    time.sleep(seconds)
    took, used, after = time.monotonic() - began, _cpu_s() - cpu_s, camera.stats
    frames = [counts.get(timeout=60) for _ in there]
    for one in there:
        one.join()
    taken = after.frames - stats.frames
    shown = ", ".join(f"{count / seconds:.1f}" for count in frames) or "nobody looks"
    print(
        f"  CPU {100 * used / took:5.1f}% of a core; watch takes {taken / took:.2f} a second, "
        f"{after.dropped - stats.dropped} dropped; onlookers see {shown} a second"
    )


def _watch(camera: LiveCamera, station: Station, ended: threading.Event) -> None:
    """Takes frames as a watch does, with two things open."""
    while not ended.is_set():
        frame = camera.take()
        if frame is None:
            time.sleep(0.02)
            continue
        height, width = frame.image.shape[:2]
        box = Box(width * 0.2, height * 0.3, width * 0.4, height * 0.7)
        open_now = [Lasting(f"e{one}", 1.0, 1, 2.0, 3, ((1.0, box, 2.0),)) for one in range(2)]
        station.pulse.came(frame)
        station.looked(frame, open_now, 0.0)


def _look(path: str, seconds: float, counts: Any) -> None:  # noqa: ANN401
    with urllib.request.urlopen(_asked(path)) as answer:  # noqa: S310 - our own server
        answer.read(4096)
        counts.put(0)
        until, seen_frames, left = time.monotonic() + seconds, 0, b""
        while time.monotonic() < until:
            left += answer.read1(1 << 16)
            seen_frames += left.count(b"Content-Length")
            left = left[-13:] if b"Content-Length" not in left[-13:] else b""
        counts.put(seen_frames)


def _cpu_s() -> float:
    """CPU of this process and its readers."""
    ticks = os.sysconf("SC_CLK_TCK")
    children = " ".join(
        path.read_text() for path in Path("/proc/self/task").glob("*/children")
    ).split()
    readers = [
        pid
        for pid in children
        if b"app.sources.reader" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in readers]
    return time.process_time() + sum(int(one[11]) + int(one[12]) for one in fields) / ticks


@contextmanager
def _camera(width: int) -> Iterator[str]:
    """A camera in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    process = context.Process(target=_send, args=(width, ready), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ready.get(timeout=60)}/stream.mjpg"
    finally:
        process.terminate()
        process.join()


def _send(width: int, ready: Any) -> None:  # noqa: ANN401
    from skimage import data

    photo = cv2.resize(data.astronaut(), (width, width * 9 // 16))
    rolled = [np.roll(photo, 8 * step, axis=1) for step in range(FPS)]
    parts = [
        cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes() for one in rolled
    ]
    listening = socket.create_server(("127.0.0.1", 0))
    ready.put(listening.getsockname()[1])
    while True:
        peer, _ = listening.accept()
        with peer:
            peer.recv(4096)
            kind = b"multipart/x-mixed-replace; boundary=frame"
            peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: " + kind + b"\r\n\r\n")
            number, began = 0, time.monotonic()
            try:
                while True:
                    jpeg = parts[number % FPS]
                    head = f"--frame\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    peer.sendall(head.encode() + jpeg + b"\r\n")
                    number += 1
                    time.sleep(max(0.0, began + number / FPS - time.monotonic()))
            except OSError:
                continue


if __name__ == "__main__":
    main()
