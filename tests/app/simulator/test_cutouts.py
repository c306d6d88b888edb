import cv2
import numpy as np
import pytest

from app.simulator import photos
from app.simulator.cutouts import cutouts, mask, sticker
from app.simulator.photos import PACKAGE_OF, PhotoError, photo, photo_path
from novic.extras import MissingPackageError

NOUNS = sorted(cutouts())


def test_there_are_enough_different_objects():
    assert len(NOUNS) >= 10


@pytest.mark.parametrize("noun", NOUNS)
def test_outlines_lie_inside_their_photograph(noun: str):
    cutout = cutouts()[noun]
    assert cutout.photo in PACKAGE_OF
    assert cutout.outlines
    for polygon in cutout.outlines + cutout.holes:
        assert len(polygon) >= 4
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in polygon)


@pytest.mark.parametrize("noun", NOUNS)
def test_masks_are_one_solid_thing(noun: str):
    covered = (mask(cutouts()[noun]) > 0.5).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(covered)
    areas = stats[1:, cv2.CC_STAT_AREA]
    assert count >= 2
    assert areas.max() >= 0.98 * areas.sum()
    assert areas.sum() >= 400


@pytest.mark.parametrize("noun", NOUNS)
def test_stickers_have_the_width_asked_for_and_soft_edges(noun: str):
    cut = sticker(cutouts()[noun], 80)
    assert cut.size[1] == 80
    assert cut.colour.shape == (*cut.size, 3)
    assert 0.0 <= cut.alpha.min() <= cut.alpha.max() <= 1.0
    solid, soft = (cut.alpha > 0.95).mean(), ((cut.alpha > 0.05) & (cut.alpha < 0.95)).mean()
    assert solid > 0.05
    assert 0.01 < soft < 0.35
    columns = np.nonzero((cut.alpha >= 0.5).any(axis=0))[0]
    assert columns.min() <= 3
    assert columns.max() >= 76


def test_only_mirrored_when_asked():
    cup = cutouts()["cup"]
    plain, mirrored = sticker(cup, 60), sticker(cup, 60, flip=True)
    assert np.array_equal(mirrored.alpha, plain.alpha[:, ::-1])
    assert np.array_equal(mirrored.colour, plain.colour[:, ::-1])


def test_the_true_noun_is_accepted():
    assert all(noun in cutout.accepts for noun, cutout in cutouts().items())


def test_no_old_background_is_left_at_the_edge():
    # The coffee cup stood on a brown table; its saucer is far redder than that.
    cut = sticker(cutouts()["cup"], 200)
    rim = (cut.alpha > 0.1) & (cut.alpha < 0.9)
    lower = np.zeros_like(rim)
    lower[cut.size[0] // 2 :] = True
    red, green, _ = np.median(cut.colour[rim & lower], axis=0)
    assert red > 2 * green


def test_photographs_are_shared_and_cannot_be_changed():
    picture = photo("china.jpg")
    assert picture.shape == (427, 640, 3)
    assert photo("china.jpg") is picture
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 0


def test_grey_photographs_get_three_channels():
    picture = photo("camera.png")
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_a_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(photos, "find_spec", lambda name: None)
    with pytest.raises(
        MissingPackageError, match=r"china\.jpg, needs the package sklearn.*run: .*install"
    ):
        photo_path("china.jpg")


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(photos.FOLDERS, "sklearn", "nowhere")
    with pytest.raises(PhotoError, match=r"installed sklearn does not carry china\.jpg"):
        photo_path("china.jpg")
