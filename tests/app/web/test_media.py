"""Pictures are found by id and kind; whatever else is asked for, no file comes out."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.events.folders import StoreFolder, watched_folders
from app.events.store import Store
from app.local_page import listen
from app.web.media import media_router, picture_of
from app.web.served import served
from tests.app.events.findings import a_camera_finding, a_finding, begin

FIRST, SECOND = a_finding(1).event.id, a_camera_finding(2).event.id


@pytest.fixture
def places(tmp_path: Path) -> list[StoreFolder]:
    for name, finding in (("hall", a_finding(1)), ("yard", a_camera_finding(2))):
        with Store(tmp_path / "site" / name) as store:
            begin(store, finding)
    (tmp_path / "site" / "secret.jpg").write_text("canary")
    return watched_folders(tmp_path / "site")


def test_a_picture_is_found_in_whichever_store_has_its_event(places: list[StoreFolder]):
    found = picture_of(places, FIRST, "crops")
    assert found == places[0].folder / "crops" / f"{FIRST}.jpg"
    assert picture_of(places, SECOND, "snapshots") is not None
    assert picture_of(places, SECOND, "crops") is None, "a camera's fault has none"


@pytest.mark.parametrize(
    "path",
    [
        "snapshots/../../secret",
        "snapshots/..%2f..%2fsecret",
        "snapshots/%2e%2e%2f%2e%2e%2fsecret.jpg",
        "snapshots/%252e%252e%252fsecret",
        "..%2f/secret.jpg",
        "%2e%2e/secret",
        "snapshots/..%5c..%5csecret",
        f"snapshots/{FIRST}%00.jpg",
        f"snapshots/{FIRST}.jpg",
        f"snapshots/{FIRST}%0a",
        "snapshots/%2fetc%2fpasswd",
        "//etc/passwd",
        f".git/{FIRST}",
        f"snapshots%00/{FIRST}",
        f"detector/{FIRST}",
        "snapshots/%ef%bc%8e%ef%bc%8e%ef%bc%8fsecret",
    ],
)
def test_no_path_leads_elsewhere(places: list[StoreFolder], path: str):
    page = FastAPI()
    page.include_router(media_router(places))
    with served(page, listen("127.0.0.1", 0)) as address:
        good = httpx.get(f"{address}/media/snapshots/{FIRST}")
        assert (good.status_code, good.headers["content-type"]) == (200, "image/jpeg")
        # As it stands: a client would tidy the path up.
        raw = httpx.URL(address).copy_with(raw_path=f"/media/{path}".encode())
        answer = httpx.get(raw)
    assert answer.status_code == 404
    assert "canary" not in answer.text


def test_a_link_in_a_pictures_place_is_not_followed(places: list[StoreFolder], tmp_path: Path):
    folder = places[0].folder
    picture = folder / "crops" / f"{FIRST}.jpg"
    picture.unlink()
    picture.symlink_to(tmp_path / "site" / "secret.jpg")
    assert picture_of(places, FIRST, "crops") is None
    (folder / "heat").rename(tmp_path / "heat")
    (folder / "heat").symlink_to(tmp_path / "heat")
    assert picture_of(places, FIRST, "heat") is None


def test_a_store_that_cannot_be_read_has_no_pictures(tmp_path: Path):
    assert picture_of([StoreFolder("none", tmp_path / "none")], FIRST, "crops") is None
    assert not (tmp_path / "none").exists()
