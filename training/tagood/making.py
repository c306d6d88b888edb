"""Makes a TagOOD: sees pictures or reads extracted tokens, trains, and writes its folder."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from novic.embedder import Pixels
from novic.errors import UsageError
from novic.model import NounModel
from novic.tagood.errors import TagoodError
from novic.tagood.files import SavedTagood, TokensFrom, save_tagood
from novic.tagood.patches import Mask, PatchSource
from novic.tagood.projector import Projector, ProjectorSizes
from novic.tagood.released import write_released
from novic.tagood.token_files import find_token_files, read_tokens, token_path, write_tokens
from novic.tagood.tokens import ONE_RULE, TaggedTokens, TagRule
from novic.trained_folders import identity_sha256
from training.clipn.material import Pair, distinct
from training.loop_config import RunOptions
from training.pictures import check_stop, look_at
from training.tagood.config import TagoodConfig
from training.tagood.loop import TagoodData, train_tagood
from training.tagood.sources import kept_tokens
from training.tagood.tags import NounTags

USUAL_MASK: Mask = "centre"
"""A thing that is looked at fills the middle of its picture; where the noun is, by the starter's
cells, was no better, and all cells take four times as long (benchmarks/tagood.py)."""
FEW_TOKENS = 145
"""Places of a projector at least, as in the released ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Kept tokens of known pictures, and how others are to be seen."""

    pictures: Sequence[TaggedTokens]
    labels: NDArray[np.int64]
    """Class of each picture [N]."""
    classes: tuple[str, ...]
    files: tuple[Path, ...]
    """Of the pictures, N."""
    width: int
    """Of a token."""
    places: int
    """Tokens of a picture at most."""
    tokens: TokensFrom = field(default_factory=TokensFrom)
    texts: NDArray[np.float32] | None = None
    """Vectors of the classes' nouns, where they mark the tokens."""


def see_pictures(
    pairs: Sequence[Pair],
    model: NounModel,
    source: PatchSource,
    *,
    mask: Mask = USUAL_MASK,
    rule: TagRule = ONE_RULE,
    options: RunOptions,
    say: Callable[[str], None] = lambda _: None,
) -> Material:
    """Tags and tokens of pictures.

    Args:
        pairs: Pictures and the noun of each.
        model: Names them.
        source: Sees their cells.
        mask: What marks the cells that are kept; by default the middle.
        rule: Of tags.
        options: Progress, stopping.
        say: Told what people should know.

    Raises:
        UsageError: If fewer than two classes can be seen.
        TagoodError: If the mask needs a space that cells and texts do not share.
        EmbedderError: If the mask needs texts and there is no model of these.
    """
    embedder = model.embedder
    classes, owners = distinct(pairs)
    if mask == "text" and source.joint_with != embedder.spec:
        raise TagoodError(
            f"the cells of '{source.name}' lie in no space with the texts of '{embedder.spec}', so "
            "no noun can mark them; use --mask centre or --mask all"
        )
    texts = embedder.embed_texts(classes) if mask == "text" else None
    tags = NounTags(classes)

    def look(images: list[Pixels]) -> list[TaggedTokens]:
        chances = tags.of_vectors(model.decoder, embedder.embed_images(images))
        return kept_tokens(images, source, mask, texts, chances, rule)

    seen, found = look_at([pair.image for pair in pairs], look, options, say, "see images")
    labels = np.array([owners[number] for number in seen], np.int64)
    _check_classes(labels, classes)
    height, width = source.grid
    how = TokensFrom(source.name, mask, rule, embedder.spec, identity_sha256(embedder))
    files = tuple(pairs[number].image for number in seen)
    kept = [one for batch in found for one in batch]
    places = height * width
    return Material(kept, labels, classes, files, source.width, places, how, texts)


def read_extracted(folder: Path, *, options: RunOptions) -> Material:
    """Tokens that were extracted before, in the layout of TagOOD's authors.

    Args:
        folder: Holds a folder of each class.
        options: Progress, stopping.

    Raises:
        TagoodError: If one cannot be read.
        UsageError: If there are none, fewer than two classes, or tokens of several widths.
    """
    found = find_token_files(folder)
    classes = tuple(sorted({name for name, _ in found}))
    pictures = []
    for number, (_, file) in enumerate(found):
        check_stop(options, "tokens")
        pictures.append(read_tokens(file))
        options.report("read tokens", number + 1, len(found), "")
    widths = Counter(one.tokens.shape[1] for one in pictures if len(one.tokens))
    if len(widths) != 1:
        raise UsageError(
            f"{folder}: its tokens have {' and '.join(map(str, sorted(widths))) or 'no'} "
            "components; extract all in the same way"
        )
    labels = np.array([classes.index(name) for name, _ in found], np.int64)
    _check_classes(labels, classes)
    width = next(iter(widths))
    places = max(FEW_TOKENS, *(len(one.attention) for one in pictures))
    files = tuple(file for _, file in found)
    return Material(pictures, labels, classes, files, width, places)


def write_extracted(folder: Path, material: Material) -> None:
    """Write kept tokens in the layout of TagOOD's authors, for other programs or another training.

    Raises:
        TagoodError: If they cannot be written.
        UsageError: If two pictures of a class would have one file.
    """
    taken: set[Path] = set()
    rows = zip(material.files, material.labels, material.pictures, strict=True)
    for file, label, picture in rows:
        path = token_path(folder, material.classes[label], file)
        if path in taken:
            raise UsageError(f"{file}: another picture of its class has this name; rename one")
        taken.add(path)
        write_tokens(path, picture)


def make_tagood(
    material: Material,
    config: TagoodConfig,
    out: Path,
    *,
    options: RunOptions,
    device: torch.device | None = None,
    released: Path | None = None,
) -> dict[str, Any]:
    """Train a TagOOD and write it; goes on from the folder's checkpoint if there is one.

    Args:
        material: What it learns.
        config: How.
        out: The folder.
        options: Progress, stopping.
        device: Where it is trained; by default the CPU.
        released: Where it is also written in the layout of its authors.

    Returns:
        Figures of the training, which are also in the folder.

    Raises:
        UsageError: If the tokens' width cannot be parted into heads and patterns.
        TagoodError: If something cannot be written.
        TrainingError, TrainingStopped: See `train_tagood`.
    """
    width = material.width
    torch.manual_seed(config.seed)
    sizes = ProjectorSizes(len(material.classes), width, material.places, hidden=4 * width)
    projector = Projector(sizes).to(device or torch.device("cpu"))
    data = TagoodData(material.pictures, material.labels)
    identity = {**asdict(material.tokens), "classes": list(material.classes)}
    centres, told = train_tagood(projector, data, config, out, identity=identity, options=options)
    tagged = sum(bool(one.tags) and not one.fallback for one in material.pictures)
    kept = float(np.mean([len(one.tokens) for one in material.pictures]))
    metrics = {
        "classes": len(material.classes),
        "images": len(material.pictures),
        "tagged": tagged,
        "tokens_kept": round(kept, 1),
        **told,
    }
    provenance = {"command": options.command, **asdict(config), "torch": torch.__version__}
    saved = SavedTagood(
        projector.cpu(),
        centres,
        material.classes,
        replace(material.tokens),
        material.texts,
        provenance,
        metrics,
    )
    save_tagood(out, saved)
    if released is not None:
        write_released(released, saved)
    return {"source": material.tokens.source, "mask": material.tokens.mask, **metrics}


def _check_classes(labels: NDArray[np.int64], classes: Sequence[str]) -> None:
    """Refuse fewer than two classes, and one of which no picture is left.

    Raises:
        UsageError: If so.
    """
    empty = sorted(set(range(len(classes))) - set(labels.tolist()))
    if empty:
        raise UsageError(f"no picture of '{classes[empty[0]]}' can be read; add some")
    if len(classes) < 2:
        raise UsageError(
            f"a TagOOD needs pictures of two classes at least, these are of {len(classes)}; give "
            "each class a folder with its noun as name"
        )
