"""What folders of stills mean."""

from pathlib import Path

import pytest

from app.errors import UsageError
from app.inspecting.layout import good_images, read_layout


def put(folder: Path, *names: str) -> Path:
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    return folder


def test_the_folders_of_mvtec_are_known(tmp_path: Path):
    root = put(
        tmp_path,
        "train/good/10.png",
        "train/good/9.png",
        "test/good/0.png",
        "test/crack/0.png",
        "test/crack/1.png",
        "ground_truth/crack/0_mask.png",
    )
    layout = read_layout(root)
    assert [path.name for path in layout.good] == ["9.png", "10.png"]
    assert layout.labelled
    told = [
        (one.name, one.kind, one.defective, one.mask and one.mask.name) for one in layout.stills
    ]
    assert told == [
        ("test/crack/0.png", "crack", True, "0_mask.png"),
        ("test/crack/1.png", "crack", True, None),
        ("test/good/0.png", "good", False, None),
    ]


def test_folders_of_kinds_need_a_good_one_to_know_what_is_defective(tmp_path: Path):
    root = put(tmp_path, "bent/a.jpg", "odd/b.jpg", "mask/bent/a.png")
    assert not read_layout(root).labelled
    put(root, "good/c.jpg")
    layout = read_layout(root)
    assert {one.kind: one.defective for one in layout.stills} == {
        "bent": True,
        "good": False,
        "odd": True,
    }
    assert layout.stills[0].mask == root / "mask/bent/a.png"
    assert layout.good == ()


def test_images_alone_have_neither_kind_nor_truth(tmp_path: Path):
    [still] = read_layout(put(tmp_path, "one.JPG", "notes.txt", ".hidden.png")).stills
    assert (still.name, still.kind, still.defective) == ("one.JPG", "", None)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "holds no images; it is empty"),
        (("a.mp4", "b.txt"), r"holds no images; it holds a\.mp4, b\.txt \(2\)"),
        (("a.png", "bent/b.png"), r"images \(a\.png, \.\.\.\) beside folders of images \(bent, "),
    ],
    ids=["empty", "others", "mixed"],
)
def test_a_folder_that_makes_no_sense_is_refused_with_what_it_holds(
    tmp_path: Path, names: tuple[str, ...], said: str
):
    with pytest.raises(UsageError, match=said):
        read_layout(put(tmp_path, *names))


def test_what_is_no_folder_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="there is no such folder"):
        read_layout(tmp_path / "gone")
    with pytest.raises(UsageError, match="is a file; name the folder"):
        read_layout(put(tmp_path, "a.png") / "a.png")


def test_good_images_are_found_where_they_usually_lie(tmp_path: Path):
    assert len(good_images(put(tmp_path / "one", "a.png", "b.png"))) == 2
    assert len(good_images(put(tmp_path / "two", "good/a.png"))) == 1
    assert len(good_images(put(tmp_path / "three", "train/good/a.png", "good/b.png"))) == 1
    with pytest.raises(UsageError, match="holds no good images to learn from"):
        good_images(put(tmp_path / "four", "bent/a.png"))
