"""A site in which cameras are wrong in every way, and two that are not."""

from pathlib import Path

import numpy as np
import pytest

from app.service.service import SiteService
from tests.app.service.films import film, room
from tests.app.service.test_service import Watched, site, watched
from tests.peers.consumer import wait_for
from tests.peers.http_peers import mjpeg_camera
from tests.peers.strange import garbage, strange_codec

CANARY = "canary-hunter2"


def of(service: SiteService, camera: str) -> str:
    return next(state.why for state in service.cameras() if state.camera == camera)


def losses(under_way: Watched) -> set[tuple[str, str]]:
    return {(one["camera"], one["reason"]) for one in under_way.told if one["event"] == "lost"}


def gone_on(under_way: Watched, *cameras: str) -> None:
    before = under_way.looked()
    under_way.wait_until_watched(*cameras)
    wait_for(
        "more frames", lambda: all(under_way.looked()[one] > before[one] + 5 for one in cameras), 60
    )


@pytest.mark.slow
def test_what_is_wrong_with_some_cameras_is_told_and_the_others_go_on(tmp_path: Path):
    film(tmp_path / "hall.mp4", 1, 180)
    with (
        mjpeg_camera(login=f"ann:{CANARY}") as locked,
        mjpeg_camera(fps=10) as resizing,
        garbage() as noise,
        strange_codec() as strange,
    ):
        view = room(3)
        resizing.shows = lambda _: view
        path = site(
            tmp_path,
            "  hall: {source: hall.mp4}",
            f"  locked: {{source: '{locked.url.replace('//', f'//ann:{CANARY}-not@')}'}}",
            "  nowhere: {source: 'rtsp://no-such-camera.invalid/1'}",
            f"  noise: {{source: '{noise}'}}",
            f"  strange: {{source: '{strange}'}}",
            f"  resizing: {{source: '{resizing.url}'}}",
        )
        with watched(path) as under_way:
            service = under_way.service
            under_way.wait_until_watched("hall", "resizing")
            for camera in ("locked", "nowhere", "noise", "strange"):
                wait_for(camera, lambda one=camera: of(service, one) != "", 60)
            assert "login refused" in of(service, "locked")
            assert "name" in of(service, "nowhere")
            assert "cannot be decoded here" in of(service, "strange")
            for camera in ("locked", "nowhere", "noise", "strange"):
                assert under_way.doing()[camera] == "unreachable"
            # Another size of the same shape is scaled, another shape is a gap.
            half = np.ascontiguousarray(view[::2, ::2])
            resizing.shows = lambda _: half
            gone_on(under_way, "hall", "resizing")
            wide = np.ascontiguousarray(view[:48])
            resizing.shows = lambda _: wide
            wait_for("its loss", lambda: ("resizing", "size") in losses(under_way), 60)
            resizing.shows = lambda _: view
            gone_on(under_way, "hall", "resizing")
            assert service.moving()
        assert CANARY not in under_way.said + f"{under_way.told}"
