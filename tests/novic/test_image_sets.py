"""Image sets in every layout."""

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from novic.image_sets import LAYOUTS, ImageSetError, folder_class_names, open_image_set

RNG = np.random.default_rng(0)
TENCH, GOLDFISH, SHARK = "n01440764", "n01443537", "n01484850"


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 255, (8, 8, 3)).astype(np.uint8)).save(path)
    return path


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def test_class_folders_are_classes_in_alphabetical_order(tmp_path: Path):
    for name in ("golden_retriever/2.jpg", "golden_retriever/deep/1.PNG", "cat/x.jpeg"):
        picture(tmp_path / "pets" / name)
    write(tmp_path / "pets" / "cat" / "notes.txt", "no picture")
    found = open_image_set(str(tmp_path / "pets"))
    assert found.name == "pets"
    assert found.images == ["cat/x.jpeg", "golden_retriever/2.jpg", "golden_retriever/deep/1.PNG"]
    assert found.labels == [0, 1, 1]
    assert found.classes == ("cat", "golden retriever")
    assert found.files[0] == tmp_path / "pets" / "cat" / "x.jpeg"


def test_a_flat_folder_has_no_classes(tmp_path: Path):
    picture(tmp_path / "World" / "b.jpg")
    picture(tmp_path / "World" / "a.jpg")
    write(tmp_path / "World" / "_class_annotations.json", "{}")
    found = open_image_set(str(tmp_path / "World"))
    assert (found.name, found.images) == ("World", ["a.jpg", "b.jpg"])
    assert (found.labels, found.classes) == ((), ())


@pytest.mark.parametrize(
    ("split", "images"),
    [
        ("train", ["train/cat/1.jpg", "train/dog/2.jpg"]),
        ("valid", ["val/cat/3.jpg"]),
        ("all", ["train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg"]),
    ],
)
def test_split_folders(tmp_path: Path, split: str, images: list[str]):
    for name in ("train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg"):
        picture(tmp_path / name)
    found = open_image_set(str(tmp_path), split=split)  # type: ignore[arg-type]
    assert found.images == images


def test_imagenet_folders_are_named_by_wordnet(tmp_path: Path):
    for wnid in (TENCH, GOLDFISH):
        picture(tmp_path / "ImageNet1K" / "ILSVRC-CLS" / "val" / wnid / "1.jpg")
    found = open_image_set("ImageNet1K", tmp_path)
    assert found.name == "imagenet1k"
    assert found.classes == ("tench, Tinca tinca", "goldfish, Carassius auratus")
    assert folder_class_names(["n99999999", "red_fox"]) == ("n99999999", "red fox")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("imagenette", "Imagenette/imagenette2-320/val"),
        ("imagewoof", "Imagewoof/imagewoof2-320/val"),
        ("imagenet1kval", "ImageNet1KVal"),
        ("imagenet-a", "ImageNet-A/imagenet-a"),
        ("ImageNet-R", "ImageNet-R/imagenet-r"),
    ],
)
def test_folder_benchmarks_lie_where_upstream_has_them(tmp_path: Path, name: str, place: str):
    picture(tmp_path / place / TENCH / "1.jpg")
    found = open_image_set(name, tmp_path)
    assert (found.name, list(found.labels)) == (name.lower(), [0])
    assert found.files == [tmp_path / place / TENCH / "1.jpg"]


def test_tiny_imagenet(tmp_path: Path):
    folder = tmp_path / "TinyImageNet" / "tiny-imagenet-200"
    write(folder / "wnids.txt", f"{GOLDFISH}\n{TENCH}\n")
    picture(folder / "train" / TENCH / "images" / "t.JPEG")
    picture(folder / "val" / "images" / "v1.JPEG")
    picture(folder / "val" / "images" / "v0.JPEG")
    write(folder / "val" / "val_annotations.txt", f"v1.JPEG\t{TENCH}\t0\nv0.JPEG\t{GOLDFISH}\t0\n")
    found = open_image_set("TinyImageNet", tmp_path, "all")
    assert found.images == [
        f"train/{TENCH}/images/t.JPEG",
        "val/images/v1.JPEG",
        "val/images/v0.JPEG",
    ]
    assert found.labels == [0, 0, 1]
    assert open_image_set(str(folder)).labels == [0, 1]
    write(folder / "val" / "val_annotations.txt", f"v1.JPEG\t{SHARK}\t0\n")
    with pytest.raises(ImageSetError, match=f"{SHARK} is not in wnids"):
        open_image_set("TinyImageNet", tmp_path)


def test_food101(tmp_path: Path):
    folder = tmp_path / "Food101" / "food-101"
    for name in ("apple_pie/1", "sushi/2"):
        picture(folder / "images" / f"{name}.jpg")
    write(folder / "meta" / "train.txt", "apple_pie/1\n")
    write(folder / "meta" / "test.txt", "apple_pie/1\nsushi/2\n")
    found = open_image_set("Food101", tmp_path)
    assert found.images == ["images/apple_pie/1.jpg", "images/sushi/2.jpg"]
    assert (found.labels, found.classes) == ([0, 1], ("apple pie", "sushi"))


def cifar_record(label: bytes, image: np.ndarray) -> bytes:
    return label + image.transpose(2, 0, 1).tobytes()


def test_cifar_is_read_from_its_binary_version(tmp_path: Path):
    images = RNG.integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    folder = tmp_path / "CIFAR" / "cifar-10-batches-bin"
    write(folder / "batches.meta.txt", "airplane\nautomobile\nbird\n\n")
    for number in range(5):
        name = f"data_batch_{number + 1}.bin"
        write(folder / name, cifar_record(bytes([number % 3]), images[number]))
    write(folder / "test_batch.bin", cifar_record(b"\2", images[5]))
    found = open_image_set("CIFAR10", tmp_path, "all")
    assert found.pictures is not None
    np.testing.assert_array_equal(found.pictures, images)
    assert found.labels == [0, 1, 2, 0, 1, 2]
    assert found.classes == ["airplane", "automobile", "bird"]
    assert (found.images[4], found.images[5]) == ("train/00004", "valid/00000")
    write(folder / "batches.meta.txt", "airplane\n")
    with pytest.raises(ImageSetError, match="has the label 2, but only 1 classes"):
        open_image_set("CIFAR10", tmp_path)
    write(folder / "test_batch.bin", bytes(3072))
    with pytest.raises(ImageSetError, match=r"test_batch\.bin: has 3072 bytes, not a whole"):
        open_image_set("CIFAR10", tmp_path)


def test_cifar100_counts_the_fine_label(tmp_path: Path):
    image = RNG.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    folder = tmp_path / "binary"
    write(folder / "fine_label_names.txt", "apple\naquarium_fish\n")
    write(folder / "test.bin", cifar_record(b"\7\1", image))
    found = open_image_set(f"CIFAR100={folder}")
    assert (found.labels, found.classes) == ([1], ["apple", "aquarium fish"])
    assert found.pictures is not None
    np.testing.assert_array_equal(found.pictures[0], image)


@pytest.mark.parametrize(
    ("name", "pickled", "binary"),
    [
        ("cifar10", "cifar-10-batches-py", "cifar-10-batches-bin"),
        ("cifar100", "cifar-100-python", "cifar-100-binary"),
    ],
)
def test_pickles_are_refused(tmp_path: Path, name: str, pickled: str, binary: str):
    class Trap:
        def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
            return Path.touch, (tmp_path / "executed",)

    write(tmp_path / "CIFAR" / pickled / "test_batch", pickle.dumps(Trap()))
    write(tmp_path / "CIFAR" / pickled / "test", pickle.dumps(Trap()))
    for text in (name, f"{name}={tmp_path / 'CIFAR' / pickled}"):
        with pytest.raises(ImageSetError, match=f"get the binary version \\({binary}\\)"):
            open_image_set(text, tmp_path)
    assert not (tmp_path / "executed").exists()


def idx(content: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4) for size in content.shape)
    return bytes([0, 0, 8, content.ndim]) + sizes + content.tobytes()


@pytest.mark.parametrize("place", ["MNIST", "MNIST/raw", "MNIST/MNIST/raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_mnist_is_read_where_torchvision_keeps_it(tmp_path: Path, place: str, packed: bool):
    grey = RNG.integers(0, 256, (3, 28, 28)).astype(np.uint8)
    for name, content in (
        ("t10k-images-idx3-ubyte", grey),
        ("t10k-labels-idx1-ubyte", np.array([0, 9, 4], np.uint8)),
    ):
        data = idx(content)
        path = tmp_path / place / name
        write(
            path.with_name(f"{name}.gz") if packed else path,
            gzip.compress(data) if packed else data,
        )
    found = open_image_set("MNIST", tmp_path)
    assert found.pictures is not None
    assert found.pictures.shape == (3, 28, 28, 3)
    np.testing.assert_array_equal(found.pictures[..., 1], grey)
    assert [found.classes[label] for label in found.labels] == ["zero", "nine", "four"]
    with pytest.raises(ImageSetError, match="holds no train-images-idx3-ubyte"):
        open_image_set("MNIST", tmp_path, "train")


@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b[:6], lambda b: b"\0" + b])
def test_damaged_idx_files_are_told(tmp_path: Path, spoil: Callable[[bytes], bytes]):
    images = idx(np.zeros((2, 28, 28), np.uint8))
    write(tmp_path / "t10k-images-idx3-ubyte", spoil(images))
    write(tmp_path / "t10k-labels-idx1-ubyte", idx(np.zeros(2, np.uint8)))
    with pytest.raises(ImageSetError, match="images-idx3-ubyte: is not a whole IDX file of 3"):
        open_image_set(f"fashionmnist={tmp_path}")
    write(tmp_path / "t10k-images-idx3-ubyte", idx(np.zeros((3, 28, 28), np.uint8)))
    with pytest.raises(ImageSetError, match="t10k has 3 images and 2 labels"):
        open_image_set(f"fashionmnist={tmp_path}")


def test_what_is_no_image_set_is_told(tmp_path: Path):
    with pytest.raises(ImageSetError, match=r"none: there is no such folder; benchmarks are mni"):
        open_image_set(str(tmp_path / "none"))
    with pytest.raises(ImageSetError, match="no benchmark is called 'moon'"):
        open_image_set(f"moon={tmp_path}")
    with pytest.raises(ImageSetError, match="cifar10: say where it lies, --root FOLDER or"):
        open_image_set("cifar10")
    with pytest.raises(ImageSetError, match="holds no images"):
        open_image_set(str(tmp_path))
    picture(tmp_path / "cat" / "1.jpg")
    picture(tmp_path / "stray.jpg")
    with pytest.raises(ImageSetError, match=r"holds images \(stray\.jpg, \.\.\.\) beside folders"):
        open_image_set(str(tmp_path))


def test_all_twelve_benchmarks_of_the_spec_are_there():
    assert len(LAYOUTS) == 12
