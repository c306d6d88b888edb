"""The pictures of folders, and what the embedder and the decoder see in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.errors import UsageError
from app.names.images import find_images, open_images
from app.unknown.measuring import NO_PATCHES
from calibration.scores.protocol import Floats, Ints
from novic.embedder import EmbedderError, PatchEmbedder, PatchVectors
from novic.gencfg import GenConfig
from novic.image_sets import folder_class_names

if TYPE_CHECKING:  # what is wrong with the folders is told before torch is loaded
    from app.unknown.tagging import TagoodEyes
    from novic.embedder import Embedder, Pixels, Vectors
    from novic.model import NounModel

BATCH = 32
"""Pictures looked at between two looks at whether to stop."""
MOST_PATCH_BYTES = 4 << 30
"""Of vectors of patches that are in memory at once."""
NOUNS = GenConfig()
"""Plain log-probabilities of ten nouns, as the score of their mass needs them."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Pictures of one folder, in the order of their names."""

    path: Path
    files: tuple[str, ...]
    classes: tuple[str, ...] = ()
    """Names of the sub-folders; empty where pictures lie in none."""
    labels: tuple[int, ...] = ()
    """Number of each picture's sub-folder; empty as `classes` is."""

    @property
    def name(self) -> str:
        """What the folder is called."""
        return self.path.resolve().name or str(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen in the pictures of a folder that can be read."""

    folder: Folder
    files: tuple[str, ...]
    vectors: Floats
    """Of the embedder [N, F]."""
    log_p: Floats
    """Log-probabilities of the K likeliest nouns [N, K]; -inf where there are fewer."""
    nouns: tuple[tuple[str, ...], ...]
    """These nouns, N times K at most."""
    labels: Ints | None
    broken: dict[str, str] = field(default_factory=dict)
    """Files that could not be read, and why."""
    projected: Floats | None = None
    """Vectors of a TagOOD [N, W], if there is one."""
    tag_p: Floats | None = None
    """Probability of each picture's likeliest tag [N]."""
    patches: PatchVectors | None = None
    """Vectors of their patches [N, P, F], if the embedder gives them and they are wanted."""

    def take_patches(self, rows: Ints) -> PatchVectors | None:
        """Patches of some of the pictures, in the memory of all, as a copy might find no room.

        `patches` is spoilt by it unless these are all pictures.

        Args:
            rows: Which, ascending.
        """
        if self.patches is None or len(rows) == len(self.patches):
            return self.patches
        for at, row in enumerate(rows):
            self.patches[at] = self.patches[row]
        return self.patches[: len(rows)]


class Patches:
    """Sees pictures with their patches, as long as the embedder gives them and there is room.

    Args:
        pictures: Of how many they will be in memory.
        why_not: Why none are wanted; empty if they are.
    """

    def __init__(self, pictures: int, why_not: str = "") -> None:
        self.why_not = why_not
        self._pictures = pictures

    def see(
        self, embedder: "Embedder", images: "Sequence[Pixels]"
    ) -> "tuple[Vectors, PatchVectors | None]":
        """Vectors of pictures, and of their patches; `why_not` tells why there are none."""
        if not self.why_not and not isinstance(embedder, PatchEmbedder):
            self.why_not = f"{NO_PATCHES}, which embedder '{embedder.spec}' does not give"
        if self.why_not or not isinstance(embedder, PatchEmbedder):
            return embedder.embed_images(images), None
        try:
            vectors, patches = embedder.embed_with_patches(images)
        except EmbedderError as error:
            self.why_not = f"{NO_PATCHES}: {error}"
            return embedder.embed_images(images), None
        whole = patches[0].nbytes * self._pictures
        if whole > MOST_PATCH_BYTES:
            self.why_not = (
                f"{NO_PATCHES}, which take {whole / 1e9:.1f} GB of memory for {self._pictures} "
                "pictures; name fewer"
            )
            return vectors, None
        return vectors, patches


def find_folder(path: Path, *, labels: bool = False, say: Callable[[str], None]) -> Folder:
    """The pictures of a folder and all below it.

    Args:
        path: A folder.
        labels: Take its sub-folders for classes, if every picture lies in one.
        say: Told what is left out.

    Raises:
        UsageError: If it is none, or holds no pictures.
    """
    if not path.is_dir():
        raise UsageError(f"{path}: there is no such folder")
    found = find_images([str(path)])
    for note in found.notes:
        say(f"{path}: {note}")
    files = tuple(found.files)
    if not labels:
        return Folder(path, files)
    parts = [Path(file).relative_to(path).parts for file in files]
    if any(len(part) == 1 for part in parts):
        if any(len(part) > 1 for part in parts):
            say(f"{path}: some pictures lie in no sub-folder, so sub-folders are no classes")
        return Folder(path, files)
    names = sorted({part[0] for part in parts})
    numbers = {name: number for number, name in enumerate(names)}
    return Folder(path, files, folder_class_names(names), tuple(numbers[part[0]] for part in parts))


def check_distinct(paths: Sequence[Path]) -> None:
    """Refuse one folder in two places.

    Raises:
        UsageError: If there is one.
    """
    resolved = [path.resolve() for path in paths]
    for path in paths:
        if resolved.count(path.resolve()) > 1:
            raise UsageError(f"{path}: is named twice")


def check_apart(folders: Sequence[Folder]) -> None:
    """Refuse a picture that is in two of the folders: it would be measured by itself.

    Raises:
        UsageError: If there is one.
    """
    owner: dict[Path, Path] = {}
    for folder in folders:
        for file in folder.files:
            real = Path(file).resolve()
            if owner.setdefault(real, folder.path) != folder.path:
                raise UsageError(
                    f"{file}: lies in {owner[real]} and in {folder.path}; name folders that share "
                    "no pictures"
                )


class PatchRows:
    """Patches of a folder's pictures, in one array: joined at the end they would need it twice."""

    def __init__(self, most: int) -> None:
        """Nothing yet.

        Args:
            most: Pictures that there can be.
        """
        self._most = most
        self._count = 0
        self._rows: PatchVectors | None = None

    def add(self, patches: PatchVectors) -> None:
        """Patches of the next pictures [N, P, F]."""
        if self._rows is None:
            # Memory that is never written to is never taken.
            self._rows = np.empty((self._most, *patches.shape[1:]), patches.dtype)
        self._rows[self._count : self._count + len(patches)] = patches
        self._count += len(patches)

    @property
    def rows(self) -> PatchVectors | None:
        """Those that were added; None without any."""
        return None if self._rows is None else self._rows[: self._count]


def look(
    folder: Folder,
    load: "Callable[[], tuple[NounModel, TagoodEyes | None]]",
    told: Callable[[int], None],
    patches: Patches,
    *,
    keep_patches: bool = True,
) -> Seen:
    """See all pictures of a folder; broken ones are left out.

    Args:
        folder: Which.
        load: Gives what sees, and a TagOOD's eyes if there is one; called once there is a picture
            that can be read.
        told: Called with how many are done.
        patches: Sees pictures with their patches, if they are wanted.
        keep_patches: False to see as where they are wanted, but to forget them at once.

    Raises:
        UsageError: If none can be read.
    """
    files: list[str] = []
    rows: list[int] = []
    vectors: list[Floats] = []
    said: list[tuple[str, ...]] = []
    log_p: list[list[float]] = []
    tagged: list[tuple[Floats, Floats]] = []
    of_patches = PatchRows(len(folder.files))
    broken: dict[str, str] = {}
    done = 0
    for batch in batched(open_images(folder.files), BATCH):
        good = [(at, one) for at, one in enumerate(batch, done) if one.image is not None]
        broken.update({one.path: one.error for one in batch if one.image is None})
        if good:
            model, eyes = load()
            images = [o.image for _, o in good if o.image is not None]
            found, parts = patches.see(model.embedder, images)
            if parts is not None and keep_patches:
                of_patches.add(parts)
            vectors.append(found.astype(np.float64))
            for answers in model.decoder.decode(found, NOUNS, wanted=NOUNS.topk):
                said.append(tuple(answer.noun for answer in answers))
                scores = [min(answer.score, 0.0) for answer in answers]
                log_p.append(scores + [-np.inf] * (NOUNS.topk - len(scores)))
            if eyes is not None:
                projected, tag_p = eyes.see(images, said[-len(good) :], log_p[-len(good) :])
                tagged.append((projected.astype(np.float64), tag_p))
            files += [one.path for _, one in good]
            rows += [at for at, _ in good]
        done += len(batch)
        told(done)
    if not vectors:
        raise UsageError(f"{folder.path}: holds no picture that can be read")
    labels = np.array(folder.labels, np.int64)[rows] if folder.labels else None
    seen = Seen(
        folder,
        tuple(files),
        np.concatenate(vectors),
        np.array(log_p, np.float64),
        tuple(said),
        labels,
        broken,
        *(np.concatenate(column) for column in zip(*tagged, strict=True)),
    )
    return seen if patches.why_not else replace(seen, patches=of_patches.rows)
