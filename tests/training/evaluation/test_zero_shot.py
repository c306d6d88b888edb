"""The zero-shot test on made-up and real images."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

from novic.embedder import Pixels, TokenIds, Vectors
from novic.embedders.starter import StarterEmbedder
from novic.image_sets import ImageSetError
from training.evaluation.predictions import EvaluationError
from training.evaluation.zero_shot import Share, class_vectors, zero_shot
from training.evaluation.zero_shot_data import (
    CIFAR_PROMPTS,
    OTHER_PROMPTS,
    PUBLISHED,
    known_spec,
    open_test_set,
    read_prompts,
)

NAMES = ("airplane automobile bird cat deer dog frog horse ship truck").split()  # noqa: SIM905
SIGLIP = "openclip:timm/ViT-B-16-SigLIP"


class ByFirstPixel:
    """Sees in an image the class that its first pixel counts, and in a text the class it names."""

    spec = SIGLIP
    width = len(NAMES)
    token_ids = TokenIds(10, None, 1, 0)
    end_id = 1

    def warm_up(self) -> None:
        """Nothing to prepare."""

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        return np.eye(self.width, dtype=np.float32)[[image[0, 0, 0] for image in images]]

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        named = [next(at for at, name in enumerate(NAMES) if name in text) for text in texts]
        return np.eye(self.width, dtype=np.float32)[named]

    def clean_text(self, text: str) -> str:
        return text

    def encode_noun(self, noun: str) -> list[int]:
        return [len(noun)]

    def identity(self) -> Mapping[str, Any]:
        return {}


def save_cifar(folder: Path, hits: int, of: int) -> Path:
    """CIFAR-10's binary version: labels run through the classes, the first `hits` pixels agree."""
    records = np.zeros((of, 1 + 3072), np.uint8)
    records[:, 0] = np.arange(of) % 10
    records[:, 1] = (np.arange(of) + (np.arange(of) >= hits)) % 10
    folder.mkdir()
    records.tofile(folder / "test_batch.bin")
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return folder


@pytest.mark.parametrize(
    ("hits", "agrees"), [(9233, True), (9253, True), (9213, True), (9254, False), (9212, False)]
)
def test_a_figure_agrees_within_a_fifth_of_a_point(tmp_path: Path, hits: int, *, agrees: bool):
    test = open_test_set(str(save_cifar(tmp_path / "cifar-10-batches-bin", hits, 10_000)))
    found = zero_shot(ByFirstPixel(), test)
    assert found.top1 == Share(hits, 10_000)
    assert found.published == 92.33
    assert found.agrees is agrees
    assert found.prompts == 18


def test_fewer_images_are_not_compared(tmp_path: Path):
    folder = save_cifar(tmp_path / "cifar-10-batches-bin", 200, 200)
    found = zero_shot(ByFirstPixel(), open_test_set(str(folder), limit=50))
    assert found.top1 == Share(50, 50)
    assert found.agrees is None
    assert found.not_compared == "it is of the 10,000 test images of CIFAR-10, these are 50"
    assert found.as_json()["images"] == 50


def test_cifar_is_found_where_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_cifar(tmp_path / "cifar-10-batches-bin", 20, 20)
    assert len(open_test_set(str(tmp_path)).images.images) == 20
    assert len(open_test_set(f"cifar10={tmp_path}").images.images) == 20
    monkeypatch.chdir(tmp_path)
    assert open_test_set("cifar10").benchmark == "cifar10"
    monkeypatch.chdir(tmp_path / "cifar-10-batches-bin")
    with pytest.raises(EvaluationError, match="unpack the binary version"):
        open_test_set("cifar10")


def test_the_pickled_version_of_cifar_is_refused(tmp_path: Path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "test_batch").write_bytes(b"pickle")
    for path in (folder, tmp_path):
        with pytest.raises(ImageSetError, match=r"pickles.*get the binary version"):
            open_test_set(str(path))


def test_top5_counts_the_right_class_among_the_nearest(tmp_path: Path):
    class Tenth(ByFirstPixel):
        """Cosines that fall with the distance to the class of the first pixel."""

        def embed_images(self, images: Sequence[Pixels]) -> Vectors:
            own = np.array([int(image[0, 0, 0]) for image in images])[:, None]
            far = np.abs(own - np.arange(10)[None]) + 0.01 * (np.arange(10)[None] > own)
            return np.exp(-far).astype(np.float32)

    folder = save_cifar(tmp_path / "cifar-10-batches-bin", 0, 10)
    # The pixel counts the class after the right one; of truck, the last, it counts the first.
    found = zero_shot(Tenth(), open_test_set(str(folder)))
    assert (found.top1.hits, found.top5.hits) == (0, 9)


def save_pictures(folder: Path, pictures: Mapping[str, int]) -> Path:
    """A class folder for each name, with one picture that counts a class in its first pixel."""
    for name, number in pictures.items():
        (folder / name).mkdir(parents=True)
        Image.new("RGB", (3, 3), (number, 0, 0)).save(folder / name / "a.png")
    return folder


def test_folders_are_named_as_their_classes_or_by_a_file(tmp_path: Path):
    save_pictures(tmp_path, {"cat": 3, "001": 5, "x_ship": 8})
    (tmp_path / "classes.json").write_text(json.dumps({"001": ["dog", "big dog"], "cat": "cat"}))
    test = open_test_set(str(tmp_path))
    assert test.classes == (("dog", "big dog"), ("cat",), ("x ship",))
    assert test.prompts == OTHER_PROMPTS
    found = zero_shot(ByFirstPixel(), test)
    assert found.top1 == Share(3, 3)
    assert found.published is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ('{"dog": "dog"}', "names dog, but there is no such folder"),
        ('{"cat": 3}', "cat must be a name or a list of names"),
        ('{"cat": []}', "cat has no name"),
        ("[]", "must be an object"),
        ("{", "cannot be read as JSON"),
    ],
)
def test_other_class_files_are_refused(tmp_path: Path, names: str, message: str):
    save_pictures(tmp_path, {"cat": 3, "ship": 8})
    (tmp_path / "classes.json").write_text(names)
    with pytest.raises(EvaluationError, match=message):
        open_test_set(str(tmp_path))


def test_broken_images_are_told_and_count_neither_way(tmp_path: Path):
    save_pictures(tmp_path, {"cat": 3, "ship": 8})
    (tmp_path / "cat" / "b.png").write_bytes(b"broken")
    found = zero_shot(ByFirstPixel(), open_test_set(str(tmp_path)))
    assert found.top1 == Share(2, 2)
    assert found.broken == (("cat/b.png", "is not an image that can be read"),)
    for file in tmp_path.glob("*/a.png"):
        file.write_bytes(b"broken")
    with pytest.raises(EvaluationError, match="none of its 3 images can be read"):
        zero_shot(ByFirstPixel(), open_test_set(str(tmp_path)))


def test_images_without_classes_are_refused(tmp_path: Path):
    Image.new("RGB", (3, 3)).save(tmp_path / "a.png")
    with pytest.raises(EvaluationError, match="its images have no classes; put them in folders"):
        open_test_set(str(tmp_path))


def test_a_class_is_the_normalised_mean_of_its_texts():
    class Lengths(ByFirstPixel):
        def embed_texts(self, texts: Sequence[str]) -> Vectors:
            rows = np.array([[len(text), 1 + text.count("a")] for text in texts], np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    embedder = Lengths()
    classes, prompts = [("cat", "tabby"), ("ox",)], ("{c}", "a {c}.")
    found = class_vectors(embedder, classes, prompts)
    for row, names in zip(found, classes, strict=True):
        texts = [prompt.replace("{c}", name) for name in names for prompt in prompts]
        mean = embedder.embed_texts(texts).mean(axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-6)
    assert found.dtype == np.float32


def test_clips_prompts_for_cifar():
    assert len(set(CIFAR_PROMPTS)) == 18
    assert {"a photo of a {c}.", "a low contrast photo of the {c}."} <= set(CIFAR_PROMPTS)
    assert "a photo of the big {c}." in CIFAR_PROMPTS


def test_prompts_come_from_text_or_json(tmp_path: Path):
    text = tmp_path / "prompts.txt"
    text.write_text("a {c}\n\n  the {c}.\n")
    assert read_prompts(text, "any") == ("a {c}", "the {c}.")
    listed = tmp_path / "list.json"
    listed.write_text('["a {c}"]')
    assert read_prompts(listed, "any") == ("a {c}",)
    upstream = tmp_path / "cls_prompts_clip.json"
    upstream.write_text('{"CIFAR10": ["one {c}"], "Food101": ["two {c}"]}')
    assert read_prompts(upstream, "cifar10") == ("one {c}",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.txt", "a cat\n", "'a cat' must hold {c} once, for the class"),
        ("p.txt", "\n", "holds no prompts"),
        ("p.json", "{", "cannot be read"),
        ("p.json", '{"MNIST": ["{c}"]}', "holds no prompts for 'cifar10'"),
        ("p.json", "[1]", "prompts must be a list of texts"),
    ],
)
def test_other_prompt_files_are_refused(tmp_path: Path, name: str, text: str, message: str):
    (tmp_path / name).write_text(text)
    with pytest.raises(EvaluationError, match=message):
        read_prompts(tmp_path / name, "cifar10")


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        # Wilson's bounds, worked out by hand from his formula.
        (Share(0, 10), 0.0, 27.75),
        (Share(10, 10), 72.25, 100.0),
        (Share(5, 10), 23.66, 76.34),
        (Share(9233, 10_000), 91.79, 92.83),
    ],
)
def test_intervals(share: Share, low: float, high: float):
    assert share.interval() == pytest.approx((low, high), abs=0.01)


def test_a_copy_is_known_by_its_folders_name():
    assert known_spec("openclip:/models/ViT-B-16-SigLIP") == SIGLIP
    assert known_spec("openclip:/models/other") == "openclip:/models/other"
    assert known_spec("transformers:google/ViT-B-16-SigLIP") not in PUBLISHED
    assert known_spec(SIGLIP) == SIGLIP


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real photographs, each whole and without its edges, in folders by class."""
    folder = tmp_path_factory.mktemp("photographs")
    pictures = {
        "cat": data.chelsea(),
        "coffee": data.coffee(),
        "rocket": data.rocket(),
        "astronaut": data.astronaut(),
        "motorcycle": data.stereo_motorcycle()[0],
        "flower": load_sample_image("flower.jpg"),
        "temple": load_sample_image("china.jpg"),
        "coins": np.repeat(data.coins()[..., None], 3, axis=2),
    }
    for name, picture in pictures.items():
        (folder / name).mkdir()
        rows, columns = (side // 12 for side in picture.shape[:2])
        for number, variant in enumerate((picture, picture[rows:-rows, columns:-columns])):
            Image.fromarray(variant).save(folder / name / f"{number}.jpg")
    return folder


def test_the_starter_knows_real_photographs(photographs: Path):
    test = open_test_set(str(photographs))
    found = zero_shot(StarterEmbedder(), test)
    assert found.top1.of == 16
    # Chance is one in eight; even the lower end of the interval is far above it.
    assert found.top1.interval()[0] > 40
    assert found.top5.percent >= found.top1.percent
