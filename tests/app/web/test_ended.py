"""A page that ends does not wait for who looks on: its streams end with it, whole."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from starlette.status import HTTP_200_OK

from app.watching.board import Board, Station
from app.web.ended import Ended
from app.web.guard import GuardConfig
from app.web.serving import serve_beside
from tests.app.builders import a_frame
from tests.app.web.builders import a_site
from tests.app.web.pages import SAME
from tests.app.web.test_live import Watched
from tests.peers.consumer import wait_for


class Onlooker:
    """Reads a stream to its end on a thread."""

    def __init__(self, client: httpx.Client, path: str) -> None:
        self.status = self.read = 0
        self.fault = "it has not ended"
        self._client, self._path = client, path
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            with self._client.stream("GET", self._path, timeout=60) as answer:
                self.status = answer.status_code
                for piece in answer.iter_raw():
                    self.read += len(piece)
            self.fault = ""
        except httpx.HTTPError as error:
            self.fault = repr(error)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[ExitStack, httpx.Client]]:
    """A page with a live camera, which ends with the stack; and a browser that was let in."""
    a_site(tmp_path)
    source = Watched()
    source.show(a_frame())
    board, station = Board(), Station(tmp_path / "hall", source)
    station.looked(a_frame(), [], 0.0)
    with ExitStack() as stack, board.showing(station):
        opened = stack.enter_context(serve_beside(tmp_path, board, GuardConfig(port=0)))
        with httpx.Client(base_url=opened.address, headers=SAME) as client:
            assert client.get(opened.link).status_code == HTTP_200_OK
            yield stack, client


def test_open_streams_end_whole_and_are_not_cut(page: tuple[ExitStack, httpx.Client]):
    stack, client = page
    streams = [Onlooker(client, f"/api/v1/{path}") for path in ("stream", "cameras/hall/live.mjpg")]
    wait_for("both to be read", lambda: all(one.read for one in streams))
    stack.close()
    for one in streams:
        one.thread.join(30)
    # What the server cuts after its patience is no whole answer.
    assert [(one.status, one.fault) for one in streams] == [(200, ""), (200, "")]


def test_who_waits_is_woken_at_the_end_and_nobody_waits_after_it():
    import asyncio

    ended = Ended()

    async def story() -> list[bool]:
        first = await ended.wait(0.01)
        waiting = asyncio.ensure_future(ended.wait(600))
        await asyncio.sleep(0)
        await asyncio.to_thread(ended.set)
        return [first, await waiting, await ended.wait(600)]

    assert asyncio.run(story()) == [False, True, True]
    assert ended.is_set()
    ended.set()
