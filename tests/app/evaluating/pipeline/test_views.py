"""The pictures that events are named by, kept while an audit names them."""

from pathlib import Path

import numpy as np

from app.evaluating.pipeline.namers import Voted
from app.evaluating.pipeline.views import KeepingTeller, kept_views, shown, stored_view
from app.media.pictures import write_image
from app.watching.camera import Camera
from app.watching.naming import AtOnce
from tests.app.builders import SIZE, BrightnessNames
from tests.app.watching.test_naming import play, said


def test_what_is_told_is_the_same_and_its_pictures_are_kept(tmp_path: Path):
    expected = play(Camera(SIZE, live=True), AtOnce(BrightnessNames()))
    told = play(Camera(SIZE, live=True), KeepingTeller(BrightnessNames(), tmp_path / "views"))
    assert said(told) == said(expected)
    assert len(told) > 1
    event = told[-1].event
    views = kept_views(tmp_path / "views", event.id)
    assert len(views) == 3
    assert all(len(view.crops) == 2 and view.around is not None for view in views)
    # The very crops, so that they are voted the very name.
    picture = told[-1].picture
    assert picture is not None
    assert any(
        all(np.array_equal(*pair) for pair in zip(view.crops, picture.crops, strict=True))
        for view in views
    )
    assert Voted(BrightnessNames()).name(views) == event.noun
    assert [file.name for file in (tmp_path / "views").iterdir()] == [f"{event.id}.npz"]


def test_pictures_that_are_gone_or_damaged_are_none(tmp_path: Path):
    (tmp_path / "torn.npz").write_bytes(b"PK")
    assert kept_views(tmp_path, "torn") == []
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
