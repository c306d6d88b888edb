"""A thing is known again elsewhere, in other light and mirrored, and told from another."""

import cv2
import numpy as np
import pytest
import skimage.data

from detectors.changes import Place
from detectors.signatures import LENGTH, Signature, Signatures, sameness
from detectors.types import Box, Pixels

CAT = np.ascontiguousarray(skimage.data.chelsea()[20:280, 90:350])
CUP = np.ascontiguousarray(skimage.data.coffee()[40:360, 130:450])


def a_wall(corner: tuple[int, int]) -> Pixels:
    x, y = corner
    wall = skimage.data.brick()[y : y + 240, x : x + 240]
    return cv2.merge([wall] * 3).astype(np.uint8)


def signature_of(
    thing: Pixels, corner: tuple[int, int], side: int, light: float = 1.0, *, missing: bool = False
) -> Signature:
    """Of a round part of a picture, before a part of the wall."""
    wall = a_wall(corner)
    seen, small = wall.copy(), cv2.resize(thing, (side, side), interpolation=cv2.INTER_AREA)
    outline = np.zeros((side, side), np.uint8)
    cv2.circle(outline, (side // 2, side // 2), side // 2 - 1, 1, cv2.FILLED)
    seen[80 : 80 + side, 80 : 80 + side][outline > 0] = np.asarray(small)[outline > 0]
    lit = (seen * light).clip(0, 255).astype(np.uint8)
    pair = (seen, (wall * light).astype(np.uint8)) if missing else (wall, lit)
    place = Place.of(*pair, Box(80, 80, 80 + side, 80 + side))
    signatures = Signatures.of(place) if place is not None else None
    assert signatures is not None
    return signatures.before if missing else signatures.now


@pytest.mark.parametrize("thing", [CAT, CUP], ids=["cat", "cup"])
def test_a_thing_is_known_again_and_told_from_another(thing: Pixels):
    first = signature_of(thing, (0, 0), 70)
    other = signature_of(CUP if thing is CAT else CAT, (0, 0), 70)
    again = {
        "elsewhere, nearer": signature_of(thing, (200, 150), 90),
        "in the shade": signature_of(thing, (100, 200), 70, 0.7),
        "mirrored": signature_of(thing[:, ::-1], (50, 100), 64),
        "gone": signature_of(thing, (200, 0), 70, missing=True),
    }
    assert first.shape == (LENGTH,)
    for how, signature in again.items():
        assert sameness(first, signature, 0.9, 0.5) > 1, how
        assert sameness(other, signature, 0.9, 0.5) < sameness(first, signature, 0.9, 0.5) - 2, how


def test_where_hardly_anything_differs_nothing_can_be_known_again():
    wall = a_wall((0, 0))
    dot = wall.copy()
    dot[100:102, 100:102] = 255
    place = Place.of(wall, dot, Box(95, 95, 107, 107))
    assert place is None or Signatures.of(place) is None
