"""People in pictures that are kept, found by the real network in a real photograph."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.events.event import Finding, Picture
from app.events.store import Store
from app.watching.blurring import BlurringStore, People, coarse, opened_store
from detectors.types import Box, Pixels
from tests.app.builders import a_frame
from tests.app.events.findings import a_finding, begin, picture_of

data = pytest.importorskip("skimage.data")
FACE = (slice(85, 145), slice(200, 255))
"""Rows and columns of the photograph."""
WHOLE = Box(60, 10, 440, 500)


@pytest.fixture(scope="module")
def people() -> People:
    return People()


@pytest.fixture(scope="module")
def woman() -> Pixels:
    return np.ascontiguousarray(data.astronaut())


def detail(image: Pixels) -> float:
    """Mean difference between neighbours, in grey levels."""
    return float(np.abs(np.diff(image.astype(float), axis=1)).mean())


def a_photographed(image: Pixels, noun: str) -> Finding:
    finding = a_finding(1, noun=noun)
    size = image.shape[:2]
    picture = Picture(2.0, WHOLE, size, (WHOLE.cut(image),), image, np.ones((6, 8), np.float32), 1)
    return replace(
        finding, event=replace(finding.event, box=WHOLE, frame_size=size), picture=picture
    )


def kept(folder: Path, kind: str, finding: Finding) -> Pixels:
    with Image.open(folder / kind / f"{finding.event.id}.jpg") as image:
        return np.asarray(image)


def test_a_face_is_hidden_and_what_nobody_is_in_stays(people: People, woman: Pixels):
    hidden = people.hidden(woman)
    assert detail(hidden[FACE]) < detail(woman[FACE]) / 4
    wall = data.brick()[..., None].repeat(3, axis=2)
    assert (people.hidden(wall) == wall).mean() > 0.9


def test_no_kept_picture_shows_who_it_was(people: People, woman: Pixels, tmp_path: Path):
    finding = a_photographed(woman, "suitcase")
    with BlurringStore(tmp_path, people) as store:
        begin(store, finding)
    with Store(tmp_path / "open") as store:
        begin(store, finding)
    for kind, face in (("snapshots", FACE), ("crops", (slice(75, 135), slice(140, 195)))):
        shown = kept(tmp_path / "open", kind, finding)
        assert detail(kept(tmp_path, kind, finding)[face]) < detail(shown[face]) / 3, kind
    assert (tmp_path / "heat" / f"{finding.event.id}.png").exists()
    assert picture_of(finding).snapshot is woman, "what is named stays as it is"


def test_who_is_a_person_by_name_alone_is_hidden_too(people: People, tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8)
    finding = a_photographed(noise, "person")
    with opened_store(tmp_path, people, ()) as store:
        begin(store, finding)
    snapshot = kept(tmp_path, "snapshots", finding)
    assert detail(snapshot[100:400, 100:400]) < detail(snapshot[:, 500:]) / 4
    assert detail(kept(tmp_path, "crops", finding)[100:300, 100:300]) < 20


def test_without_the_option_pictures_are_kept_as_they_are(woman: Pixels, tmp_path: Path):
    finding = a_photographed(woman, "suitcase")
    with opened_store(tmp_path, None, ()) as store:
        begin(store, finding)
    assert detail(kept(tmp_path, "snapshots", finding)[FACE]) > detail(woman[FACE]) * 0.8


def test_a_live_picture_is_coarse_as_a_whole(woman: Pixels):
    frame = a_frame(1.0, woman)
    shown = coarse(frame)
    assert shown.image.shape == woman.shape
    assert len(np.unique(shown.image.reshape(-1, 3), axis=0)) <= 48 * 48
    assert (shown.time_us, shown.camera) == (frame.time_us, frame.camera)
