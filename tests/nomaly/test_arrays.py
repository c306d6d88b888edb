"""What is refused as a picture, and in which words."""

import numpy as np
import pytest
from PIL import Image

from nomaly.arrays import ArrayError, checked
from novic.errors import NomalyError

GOOD = np.zeros((4, 6, 3), np.uint8)


def test_good_images_come_back_as_they_are():
    images = (GOOD, np.ones((9, 2, 3), np.uint8))
    assert [id(image) for image in checked(images)] == [id(image) for image in images]
    assert checked([]) == []
    stack = np.zeros((2, 4, 6, 3), np.uint8)
    assert len(checked(stack)) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (GOOD.astype(np.float32), r"holds float32; an image is a NumPy array uint8 \[height, "),
        (GOOD[..., 0], r"has shape \(4, 6\); "),
        (np.zeros((4, 6, 4), np.uint8), r"has shape \(4, 6, 4\); "),
        (GOOD.transpose(2, 0, 1), r"has shape \(3, 4, 6\); "),
        (GOOD[:0], r"is empty, \(0, 6, 3\); "),
        (Image.fromarray(GOOD), "is a Image; an image is a NumPy array"),
        ("photo.jpg", "is a str; "),
    ],
)
def test_what_is_no_image_is_told(image: object, fault: str):
    with pytest.raises(ArrayError, match=rf"^image 1 {fault}.*red, green, blue$"):
        checked([GOOD, image])  # type: ignore[list-item]


def test_one_image_without_a_list_is_told():
    with pytest.raises(NomalyError, match=r"shape \(4, 6, 3\).* put it into a list: \[image\]"):
        checked(GOOD)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one array"):
        checked(GOOD)  # type: ignore[arg-type]
