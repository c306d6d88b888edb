"""Server-sent events, and a camera of this process."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sse_starlette import ServerSentEvent

from app.events.event import Finding
from app.events.store import Changes, SourceProgress, Store
from app.sources.base import Gap
from app.watching.board import Board, Station
from app.web.cursor import read_cursor
from app.web.ended import Ended
from app.web.state import Web
from tests.app.builders import a_frame
from tests.app.web.builders import a_site, seen
from tests.app.web.test_live import Watched


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return a_site(tmp_path)


def told(message: ServerSentEvent) -> tuple[str, Any]:
    return message.event or "", json.loads(message.data or "{}")


async def some(messages: AsyncIterator[ServerSentEvent], count: int) -> list[ServerSentEvent]:
    return [await asyncio.wait_for(anext(messages), 20) for _ in range(count)]


def save(folder: Path, *findings: Finding) -> None:
    with Store(folder) as store:
        source = SourceProgress(folder.name, f"rtsp://{folder.name}/1", (60, 80), 0.0, 0.0)
        store.save(store.required_run().id, Changes(source, findings))


def test_who_comes_back_with_the_last_id_misses_nothing(site: Path):
    web = Web.of([site], None, None)

    async def story() -> None:
        news = web.news.since(None, Ended())
        [hello] = await some(news, 1)
        save(site / "hall", seen(11, "fox", "hall"))
        [first] = await some(news, 1)
        assert told(first)[1]["noun"] == "fox"
        await news.aclose()
        # Nobody listens.
        save(site / "gate", seen(12, "bear", "gate"))
        save(site / "hall", seen(11, "wolf", "hall"))
        again = web.news.since(read_cursor(first.id or ""), Ended())
        missed = [told(one)[1]["noun"] for one in (await some(again, 3))[1:]]
        assert missed == ["bear", "wolf"]
        begun = web.news.since(read_cursor(hello.id or ""), Ended())
        all_of_it = [told(one)[1]["noun"] for one in (await some(begun, 3))[1:]]
        assert all_of_it == ["bear", "wolf"]

    asyncio.run(story())


def test_a_camera_is_told_lost_and_back(site: Path):
    board, source = Board(), Watched()
    web = Web.of([site], board, None)

    async def story() -> None:
        with board.showing(Station(site / "hall", source)):
            news = web.news.since(None, Ended())
            await some(news, 1)
            waiting = asyncio.ensure_future(some(news, 1))
            # So that it was seen to be there before.
            await asyncio.sleep(0.6)
            source.gaps.append(Gap(1, None, "ended", "the stream ended"))
            [lost] = await waiting
            assert told(lost) == (
                "camera",
                {"folder": "hall", "camera": "hall", "state": "lost", "fault": "connection lost"},
            )
            source.gaps[0] = Gap(1, 2, "ended", "the stream ended")
            [back] = await some(news, 1)
            assert told(back)[1]["state"] == "back"

    asyncio.run(story())


def test_a_camera_of_this_process_is_told_as_it_does(site: Path):
    board, source = Board(), Watched()
    web = Web.of([site], board, None)
    station = Station(site / "hall", source)
    with board.showing(station):
        place = web.places.place("hall")
        assert not web.over(place)
        station.pulse.came(a_frame())
        station.pulse.looked(a_frame(), 1, 0)
        station.pulse.doing = "watching"
        hall = web.cameras.now(place)
        assert (hall.doing, hall.live, hall.uri, hall.dropped) == (
            "watching",
            True,
            "rtsp://hall/1",
            0,
        )
        assert hall.as_json()["links"]["live"] == "/api/v1/cameras/hall/live.mjpg"
        source.gaps.append(Gap(1, None, "stalled", "no new picture for 2 s"))
        blind = web.cameras.now(place)
        assert (blind.doing, blind.fault) == ("blind", "no picture comes")
    assert web.over(place)
    assert web.cameras.now(web.places.place("hall")).doing == "stopped"
