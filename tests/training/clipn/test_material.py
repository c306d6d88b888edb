"""Nouns, captions and images as people have them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from novic.errors import UsageError
from novic.image_sets import ImageSetError
from training.clipn.material import (
    Pair,
    distinct,
    folder_pairs,
    read_nouns,
    read_pairs,
    vocabulary_nouns,
)


def picture(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(file)
    return file


def test_the_shipped_vocabulary_is_nouns():
    nouns = vocabulary_nouns()
    assert len(nouns) == len(set(nouns)) > 5000
    assert {"cat", "umbrella"} <= set(nouns)


def test_nouns_are_read_in_canonical_form_and_once(tmp_path: Path):
    file = tmp_path / "nouns.txt"
    file.write_text("Traffic-Light\n\ncup\ntraffic light\n cup \n")
    assert read_nouns(file) == ("traffic light", "cup")
    file.write_text("cup\n")
    with pytest.raises(UsageError, match="holds 1 nouns; a CLIPN needs two"):
        read_nouns(file)
    with pytest.raises(UsageError, match=r"none\.txt: cannot be read"):
        read_nouns(tmp_path / "none.txt")


def test_pairs_lie_beside_their_file(tmp_path: Path):
    file = tmp_path / "pairs.tsv"
    file.write_text("one.jpg\ta red cup\n\n/two.png\t a  dog \n")
    wanted = [Pair(tmp_path / "one.jpg", "a red cup"), Pair(Path("/two.png"), "a dog")]
    assert read_pairs(file) == wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [("a.jpg\tcup\nb.jpg cup\n", r"pairs\.tsv, line 2: write an image"), ("\n", "holds no pairs")],
)
def test_lines_that_are_no_pairs_are_told(text: str, told: str, tmp_path: Path):
    (tmp_path / "pairs.tsv").write_text(text)
    with pytest.raises(UsageError, match=told):
        read_pairs(tmp_path / "pairs.tsv")


def test_images_are_called_by_their_folder(tmp_path: Path):
    files = [picture(tmp_path / name) for name in ("cup/1.png", "cup/2.png", "Fire_Truck/a.png")]
    found = {pair.image: pair.text for pair in folder_pairs(tmp_path)}
    assert [found[file] for file in files] == ["cup", "cup", "fire truck"]
    picture(tmp_path / "beside.png")
    with pytest.raises(ImageSetError, match="holds images"):
        folder_pairs(tmp_path)


def test_or_by_their_own_name(tmp_path: Path):
    for name in ("cup-3.png", "fire_truck (12).png", "Cup.png"):
        picture(tmp_path / name)
    texts, owners = distinct(folder_pairs(tmp_path))
    assert sorted(texts) == ["cup", "fire truck"]
    assert sorted(owners) == [0, 0, 1]
    picture(tmp_path / "0017.png")
    with pytest.raises(UsageError, match="its name says no noun"):
        folder_pairs(tmp_path)
