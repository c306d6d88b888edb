"""Sets of images to evaluate on, read where they lie (novic_spec §9.1): no download, no pickle.

* folders of classes, `<class>/*.jpg`, also below `train` and `val`;
* the layouts in which torchvision and upstream keep the usual benchmarks;
* flat folders of images, as OVIC's World, Wiki and Val3K: no classes, the truth is in annotations.
"""

import gzip
import math
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from timm.data.imagenet_info import ImageNetInfo

from novic.errors import NomalyError
from novic.images import ENDINGS

WORDNET_ID = re.compile(r"n\d{8}")
"""Folder name of an ImageNet class: `n`, then the offset of its synset."""


type Split = Literal["train", "valid", "all"]
SPLITS: tuple[Split, ...] = get_args(Split.__value__)

FASHION = (
    "T-shirt, top",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

SPLIT_FOLDERS = {"train": ("train",), "valid": ("val", "valid", "test")}
"""What the folders of the splits are called."""

type Pictures = NDArray[np.uint8]
"""Small pictures of one size, RGB uint8 [N, H, W, 3]."""


class ImageSetError(NomalyError):
    """A set of images is not there, or not laid out or filled as it must be."""


class NoImagesError(ImageSetError):
    """A folder that was named is not there, or holds no images."""

    exit_code = 2


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Images, and what is known about them."""

    name: str
    images: Sequence[str]
    """Their names, distinct: paths below the set's folder, or split and number."""
    files: Sequence[Path] = ()
    """Where each lies, unless `pictures` holds them."""
    pictures: Pictures | None = None
    labels: Sequence[int] = ()
    """Class number of each image; empty if there are no classes."""
    classes: Sequence[str] = ()
    """Name of each class, its synonyms separated by commas."""


type _Reader = Callable[[Path, Split], ImageSet]


def open_image_set(text: str, root: Path | None = None, split: Split = "valid") -> ImageSet:
    """Open what a user calls a data set.

    Args:
        text: A folder; the name of a benchmark, which is then looked for below `root`; or
            `NAME=FOLDER`, a benchmark that lies in a folder of its own.
        root: Folder of all benchmarks, laid out as upstream does it (`LAYOUTS`).
        split: Which part; sets that have no parts are taken whole.

    Raises:
        ImageSetError: If there is no such set, or it is not laid out or filled as it must be.
    """
    name, equals, folder = text.partition("=")
    layout = LAYOUTS.get(_key(name))
    if equals:
        if layout is None:
            raise ImageSetError(f"{text}: no benchmark is called '{name}'; {_known()}")
        return replace(layout[1](_folder(Path(folder)), split), name=_key(name))
    if layout and (root or not Path(text).exists()):
        if root is None:
            raise ImageSetError(f"{text}: say where it lies, --root FOLDER or {text}=FOLDER")
        return replace(layout[1](_folder(root / layout[0]), split), name=_key(name))
    return open_folder(_folder(Path(text)), split)


def open_folder(path: Path, split: Split = "valid") -> ImageSet:
    """Open a folder of images, of classes, or of splits that hold classes.

    Raises:
        ImageSetError: If it holds no images, or images beside classes.
    """
    if (path / "wnids.txt").is_file():
        return _tiny_imagenet(path, split)
    below = {entry.name for entry in path.iterdir() if entry.is_dir()}
    if "train" in below and below & set(SPLIT_FOLDERS["valid"]):
        return _split_folders(path, split)
    images = _images_in(path.iterdir())
    classes = any(_images_in((path / name).rglob("*")) for name in below)
    if images and classes:
        raise ImageSetError(
            f"{path}: holds images ({images[0].name}, ...) beside folders of images; "
            "evaluate the folders of classes or the images, not both at once"
        )
    if images:
        return ImageSet(path.resolve().name, [file.name for file in images], images)
    return _class_folders(path, [path], path.resolve().name)


def folder_class_names(folders: Iterable[str]) -> tuple[str, ...]:
    """Names of classes by their folders: WordNet ids become the synset's words, `_` a space."""
    info = ImageNetInfo()

    def name(folder: str) -> str:
        if not WORDNET_ID.fullmatch(folder):
            return folder.replace("_", " ")
        try:
            return info.label_name_to_description(folder)
        except KeyError:
            return folder

    return tuple(name(folder) for folder in folders)


def _split_folders(path: Path, split: Split) -> ImageSet:
    """`{train,val}/<class>/*`."""
    folders = []
    for part in _parts(split):
        found = [path / name for name in SPLIT_FOLDERS[part] if (path / name).is_dir()]
        if not found:
            names = " or ".join(SPLIT_FOLDERS[part])
            raise ImageSetError(f"{path}: has no folder {names} (--split {split})")
        folders.append(found[0])
    return _class_folders(path, folders, path.resolve().name)


def _whole(path: Path, split: Split) -> ImageSet:
    """`<class>/*`, whatever split was asked for."""
    del split
    return _class_folders(path, [path], path.name)


def _class_folders(root: Path, folders: Sequence[Path], name: str) -> ImageSet:
    """Class folders of one or more splits; classes are numbered in alphabetical order."""
    found = [
        (entry.name, file)
        for folder in folders
        for entry in sorted(folder.iterdir())
        if entry.is_dir()
        for file in _images_in(entry.rglob("*"))
    ]
    if not found:
        raise NoImagesError(f"{root}: holds no images (.jpg, .png and others)")
    classes = sorted({e.name for folder in folders for e in folder.iterdir() if e.is_dir()})
    return _of_files(root, name, found, classes)


def _of_files(
    root: Path, name: str, found: Sequence[tuple[str, Path]], classes: Sequence[str]
) -> ImageSet:
    """A set of (class folder name, file) pairs."""
    number = {folder: at for at, folder in enumerate(classes)}
    return ImageSet(
        name,
        [file.relative_to(root).as_posix() for _, file in found],
        [file for _, file in found],
        labels=[number[folder] for folder, _ in found],
        classes=folder_class_names(classes),
    )


def _tiny_imagenet(path: Path, split: Split) -> ImageSet:
    """`train/<wnid>/images/*`, `val/images/*` with `val/val_annotations.txt`, `wnids.txt`."""
    classes = sorted(_lines(path / "wnids.txt"))
    found: list[tuple[str, Path]] = []
    if "train" in _parts(split):
        for wnid in classes:
            files = _images_in((path / "train" / wnid / "images").glob("*"))
            found += [(wnid, file) for file in files]
    if "valid" in _parts(split):
        for line in _lines(path / "val" / "val_annotations.txt"):
            image, wnid = line.split("\t")[:2]
            if wnid not in classes:
                raise ImageSetError(f"{path}/val/val_annotations.txt: {wnid} is not in wnids.txt")
            found.append((wnid, path / "val" / "images" / image))
    return _of_files(path, "tinyimagenet", found, classes)


def _food101(path: Path, split: Split) -> ImageSet:
    """`images/<class>/*.jpg`, listed in `meta/{train,test}.txt` without ending."""
    path = path / "food-101" if (path / "food-101").is_dir() else path
    lists = {"train": "train.txt", "valid": "test.txt"}
    listed = [line for part in _parts(split) for line in _lines(path / "meta" / lists[part])]
    found = [(line.partition("/")[0], path / "images" / f"{line}.jpg") for line in listed]
    return _of_files(path, "food101", found, sorted({folder for folder, _ in found}))


def _cifar10(path: Path, split: Split) -> ImageSet:
    folder = _binary_folder(path, "cifar-10-batches-bin", "cifar-10-batches-py", "CIFAR-10")
    classes = _lines(folder / "batches.meta.txt")
    train = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return _cifar(folder, split, {"train": train, "valid": ["test_batch.bin"]}, classes)


def _cifar100(path: Path, split: Split) -> ImageSet:
    folder = _binary_folder(path, "cifar-100-binary", "cifar-100-python", "CIFAR-100")
    names = [line.replace("_", " ") for line in _lines(folder / "fine_label_names.txt")]
    return _cifar(folder, split, {"train": ["train.bin"], "valid": ["test.bin"]}, names)


def _binary_folder(path: Path, binary: str, pickled: str, title: str) -> Path:
    """The folder of a CIFAR's binary version: the path itself or what it holds."""
    if (path / binary).is_dir():
        return path / binary
    if path.name == pickled or (path / pickled).is_dir():
        raise ImageSetError(
            f"{path}: holds the Python version of {title}, whose files are pickles, and those can "
            f"run any program; get the binary version ({binary}) and put it beside"
        )
    return path


def _cifar(
    folder: Path, split: Split, files: dict[str, list[str]], classes: Sequence[str]
) -> ImageSet:
    """Records of label bytes (the last one counts), then 3 x 32 x 32 red, green, blue."""
    label_bytes = 1 if len(files["train"]) > 1 else 2
    names: list[str] = []
    labels: list[int] = []
    pictures: list[Pictures] = []
    for part in _parts(split):
        blocks = [_cifar_records(folder / file, label_bytes + 3072) for file in files[part]]
        records = np.concatenate(blocks)
        names += [f"{part}/{number:05d}" for number in range(len(records))]
        labels += records[:, label_bytes - 1].tolist()
        pictures.append(records[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    _check_labels(folder, labels, len(classes))
    return ImageSet(
        folder.name, names, pictures=np.concatenate(pictures), labels=labels, classes=classes
    )


def _cifar_records(path: Path, size: int) -> NDArray[np.uint8]:
    content = np.frombuffer(_bytes(path), np.uint8)
    if not len(content) or len(content) % size:
        raise ImageSetError(
            f"{path}: has {len(content)} bytes, not a whole number of records of {size}; "
            "unpack it again"
        )
    return content.reshape(-1, size)


def _mnist(path: Path, split: Split) -> ImageSet:
    return replace(_idx(path, split), classes=DIGITS)


def _fashion_mnist(path: Path, split: Split) -> ImageSet:
    return replace(_idx(path, split), classes=FASHION)


def _idx(path: Path, split: Split) -> ImageSet:
    """`{train,t10k}-{images-idx3,labels-idx1}-ubyte`, also as .gz, as torchvision keeps them."""
    places = (path, path / "raw", path / "MNIST" / "raw", path / "FashionMNIST" / "raw")
    names: list[str] = []
    labels: list[int] = []
    pictures: list[Pictures] = []
    for part in _parts(split):
        stem = "train" if part == "train" else "t10k"
        grey = _read_idx(_find_idx(places, f"{stem}-images-idx3-ubyte"), 3)
        given = _read_idx(_find_idx(places, f"{stem}-labels-idx1-ubyte"), 1)
        if len(grey) != len(given):
            raise ImageSetError(f"{path}: {stem} has {len(grey)} images and {len(given)} labels")
        names += [f"{part}/{number:05d}" for number in range(len(grey))]
        labels += given.tolist()
        pictures.append(np.repeat(grey[..., None], 3, axis=3))
    _check_labels(path, labels, 10)
    return ImageSet(path.name, names, pictures=np.concatenate(pictures), labels=labels)


def _find_idx(places: Sequence[Path], name: str) -> Path:
    for place in places:
        for file in (place / name, place / f"{name}.gz"):
            if file.is_file():
                return file
    raise ImageSetError(f"{places[0]}: holds no {name} (nor {name}.gz)")


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """An IDX file of bytes: 0, 0, 8, dimensions, big-endian sizes, content."""
    content = _bytes(path)
    head = 4 + 4 * dimensions
    whole = content[:4] == bytes([0, 0, 8, dimensions]) and len(content) >= head
    sizes = np.frombuffer(content[4:head], ">u4").tolist() if whole else []
    if not whole or len(content) != head + math.prod(sizes):
        raise ImageSetError(
            f"{path}: is not a whole IDX file of {dimensions} dimensions; unpack or copy it again"
        )
    return np.frombuffer(content[head:], np.uint8).reshape(sizes)


def _check_labels(path: Path, labels: Sequence[int], classes: int) -> None:
    if max(labels) >= classes:
        raise ImageSetError(f"{path}: has the label {max(labels)}, but only {classes} classes")


def _bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise ImageSetError(f"{path}: cannot be read: {error}") from error


def _lines(path: Path) -> list[str]:
    """The lines of a text file, without empty ones."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImageSetError(f"{path}: cannot be read, and the set needs it: {error}") from error
    return [line.strip() for line in lines if line.strip()]


def _images_in(entries: Iterable[Path]) -> list[Path]:
    return sorted(e for e in entries if e.suffix.lower() in ENDINGS and e.is_file())


def _parts(split: Split) -> tuple[str, ...]:
    return ("train", "valid") if split == "all" else (split,)


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise NoImagesError(f"{path}: there is no such folder; {_known()}")
    return path


def _known() -> str:
    return f"benchmarks are {', '.join(LAYOUTS)}"


def _key(name: str) -> str:
    return name.lower()


LAYOUTS: dict[str, tuple[str, _Reader]] = {
    "mnist": ("MNIST", _mnist),
    "fashionmnist": ("FashionMNIST", _fashion_mnist),
    "cifar10": ("CIFAR", _cifar10),
    "cifar100": ("CIFAR", _cifar100),
    "food101": ("Food101", _food101),
    "tinyimagenet": ("TinyImageNet/tiny-imagenet-200", _tiny_imagenet),
    "imagenette": ("Imagenette/imagenette2-320", _split_folders),
    "imagewoof": ("Imagewoof/imagewoof2-320", _split_folders),
    "imagenet1k": ("ImageNet1K/ILSVRC-CLS", _split_folders),
    "imagenet1kval": ("ImageNet1KVal", _whole),
    "imagenet-a": ("ImageNet-A/imagenet-a", _whole),
    "imagenet-r": ("ImageNet-R/imagenet-r", _whole),
}
"""Benchmarks: their place below a common root (the two MNISTs' and ImageNet1KVal's are ours, the
others upstream's), and how each is read."""
