"""The pictures that events are named by, kept while an audit names them."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.evaluating.pipeline.namers import Voted
from app.evaluating.pipeline.views import Kept, View, keep, keep_due, kept_views, shown, stored_view
from app.media.pictures import write_image
from app.watching.camera import Camera
from app.watching.naming import AtOnce
from tests.app.builders import SIZE, BrightnessNames
from tests.app.watching.test_naming import play, said


def test_what_is_told_is_the_same_and_its_pictures_are_kept(tmp_path: Path):
    expected = play(Camera(SIZE, live=True), AtOnce(BrightnessNames()))
    keeping = partial(keep_due, tmp_path / "views")
    told = play(Camera(SIZE, live=True), AtOnce(BrightnessNames(), keeping))
    assert said(told) == said(expected)
    assert len(told) > 1
    event = told[-1].event
    kept = Kept(tmp_path / "views", event.id, tmp_path / "none.jpg")
    views = kept.views()
    assert len(views) == 3
    assert all(len(view.crops) == 2 and view.around is not None for view in views)
    assert all(view.around.wide is not None for view in views if view.around is not None)
    # The very crops, so that they are voted the very name.
    picture = told[-1].picture
    assert picture is not None
    assert any(
        all(np.array_equal(*pair) for pair in zip(view.crops, picture.crops, strict=True))
        for view in views
    )
    assert Voted(BrightnessNames()).name(kept) == event.noun
    assert [file.name for file in (tmp_path / "views").iterdir()] == [f"{event.id}.npz"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What is written of an event with one picture."""
    folder = tmp_path_factory.mktemp("kept")
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    keep(folder, "event", [View((small, small[1:]), 2.0)])
    assert len(kept_views(folder, "event")[0].crops) == 2
    return (folder / "event.npz").read_bytes()


def test_a_file_of_pictures_that_is_cut_off_anywhere_holds_none(file: bytes, tmp_path: Path):
    for length in (*range(0, len(file), 40), len(file) - 1):
        (tmp_path / "event.npz").write_bytes(file[:length])
        assert kept_views(tmp_path, "event") == [], f"the first {length} bytes"


def test_a_file_of_pictures_with_a_wrong_byte_holds_none_or_all(file: bytes, tmp_path: Path):
    found = []
    for place in range(0, len(file), 5):
        wrong = bytearray(file)
        wrong[place] ^= 0x01
        (tmp_path / "event.npz").write_bytes(wrong)
        found.append(len(kept_views(tmp_path, "event")))
    assert {*found} == {0, 1}


def test_a_file_without_all_that_belongs_to_a_picture_holds_none(tmp_path: Path):
    only = {"0.quality": np.array(1.0)}
    np.savez_compressed(tmp_path / "event.npz", **only)  # pyright: ignore[reportArgumentType]
    assert kept_views(tmp_path, "event") == []


def test_pictures_are_read_when_they_are_asked_for_and_the_crop_of_the_report_where_none_are(
    file: bytes, tmp_path: Path
):
    kept = Kept(tmp_path, "event", tmp_path / "crop.jpg")
    assert kept.views() == []
    write_image(tmp_path / "crop.jpg", np.full((20, 30, 3), 128, np.uint8))
    assert [view.crops[0].shape for view in kept.views()] == [(20, 30, 3)]
    (tmp_path / "event.npz").write_bytes(file)
    assert [view.crops[0].shape for view in kept.views()] == [(6, 8, 3)]
    (tmp_path / "event.npz").write_bytes(file[:-1])
    assert [view.crops[0].shape for view in kept.views()] == [(20, 30, 3)]


def test_pictures_that_are_gone_are_none(tmp_path: Path):
    assert kept_views(tmp_path, "gone") == []
    assert stored_view(tmp_path / "gone.jpg") == []
    assert shown([]) is None


def test_the_crop_of_a_report_stands_for_pictures_that_were_not_kept(tmp_path: Path):
    crop = np.full((20, 30, 3), 128, np.uint8)
    write_image(tmp_path / "crop.jpg", crop)
    [view] = stored_view(tmp_path / "crop.jpg")
    assert view.crops[0].shape == (20, 30, 3)
    picture = shown([view])
    assert picture is not None
    assert picture.size == (30, 20)
