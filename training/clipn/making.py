"""Makes a CLIPN: embeds what it learns from, trains it, and writes its folder."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from novic.clipn.files import HEAD, TOWER, SavedClipn, save_clipn
from novic.clipn.head import HeadSizes, NoHead
from novic.clipn.model import unit
from novic.clipn.released import write_released
from novic.clipn.templates import filled
from novic.clipn.tower import NoTextTower, TowerEmbedder, tower_embedder
from novic.embedder import Embedder, Vectors
from novic.errors import UsageError
from novic.trained_folders import identity_sha256
from scenarios.wordnet import read_wordnet
from training.clipn.centre import centre_of
from training.clipn.config import ClipnConfig
from training.clipn.loop import ClipnData, train_clipn
from training.clipn.material import Pair, distinct
from training.clipn.relatives import kindred
from training.clipn.sides import CaptionSide, HeadSide, Side, TemplateSide
from training.loop_config import RunOptions
from training.pictures import AT_ONCE, check_stop, look_at

CAPTION = "a photo of a {}"
"""What a tower reads of a noun."""
HEAD_SCALE = 20.0
"""s on centred vectors: chosen for the starter (`benchmarks/README.md`)."""
MOST_SCALE = 100.0
"""Of CLIP models, which clip it there."""
TOWER_CLOSE = 0.99
"""Captions of a CLIP model all lie close together: only what is nearly the same counts as one."""


@dataclass(frozen=True, slots=True)
class ClipnRequest:
    """What is to be made."""

    nouns: tuple[str, ...] = ()
    """Texts to train on alone; not read where there are pairs."""
    pairs: tuple[Pair, ...] = ()
    captions: bool = False
    """Whether the pairs' texts are captions rather than nouns."""
    kind: str = HEAD
    """`head` or `tower`."""
    learnable: bool = True
    """Whether a tower has prompts; otherwise it is the hand-crafted variant."""
    hidden: int = 1024
    """Inside a head."""
    released: Path | None = None
    """Where a tower is written in the released layout too."""


def default_settings(embedder: Embedder, kind: str) -> dict[str, float]:
    """What of the settings depends on the kind and on the embedder.

    Raises:
        ClipnError: If a tower is asked for and the embedder has none.
    """
    if kind == HEAD:
        return {"scale": HEAD_SCALE}
    scale = float(tower_embedder(embedder).clip.logit_scale.detach().exp())
    return {"scale": min(scale, MOST_SCALE), "close": TOWER_CLOSE}


def make_clipn(
    request: ClipnRequest,
    embedder: Embedder,
    config: ClipnConfig,
    out: Path,
    *,
    options: RunOptions,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Train a CLIPN and write it; goes on from the folder's checkpoint if there is one.

    Args:
        request: What.
        embedder: Whose vectors it will read.
        config: How.
        out: The folder.
        options: Progress, stopping.
        say: Told what people should know.

    Returns:
        Figures of the training, which are also in the folder.

    Raises:
        UsageError: If there is too little to learn from.
        ClipnError: If the embedder has no tower to copy, or something cannot be written.
        TrainingError, TrainingStopped: See `train_clipn`.
    """
    texts, owners = distinct(request.pairs) if request.pairs else (request.nouns, [])
    seen, images = _images(request, embedder, options, say)
    owners = [owners[number] for number in seen]
    related = [] if request.captions else kindred(texts, read_wordnet())
    torch.manual_seed(config.seed)
    side, centre = _side(request, embedder, texts, options)
    if images is not None and centre is not None:
        images = unit(images - centre)
    data = ClipnData(
        texts,
        related,
        None if images is None else torch.from_numpy(images).to(side.vectors.device),
        torch.tensor(owners) if images is not None else None,
    )
    identity = {
        "embedder": embedder.spec,
        "embedder_sha256": identity_sha256(embedder),
        "kind": request.kind,
        "learnable": request.learnable,
        "hidden": request.hidden,
    }
    losses = train_clipn(side, data, config, out, identity=identity, options=options)
    metrics = {"texts": len(texts), "images": len(owners), **losses}
    provenance = {"command": options.command, **asdict(config), "torch": torch.__version__}
    module: Any = side.module
    saved = SavedClipn(module, config.scale, centre, provenance, metrics)
    save_clipn(out, saved, embedder)
    if request.released is not None:
        write_released(request.released, tower_embedder(embedder).clip, module)
    return {"kind": request.kind, "embedder": embedder.spec, "scale": config.scale, **metrics}


def _side(
    request: ClipnRequest, embedder: Embedder, texts: Sequence[str], options: RunOptions
) -> tuple[Side, Vectors | None]:
    """What is trained, and the centre that was taken off the vectors of its texts."""
    if request.kind == TOWER:
        clip = tower_embedder(embedder)
        tower = NoTextTower(clip.clip, learnable=request.learnable)
        return _tower_side(request, tower, clip, texts), None
    vectors = _embedded_texts(embedder, texts, options)
    centre = centre_of(embedder, vectors)
    head = NoHead(HeadSizes(embedder.width, request.hidden))
    device = _device_of(embedder)
    return HeadSide(head.to(device), torch.from_numpy(unit(vectors - centre)).to(device)), centre


def _tower_side(
    request: ClipnRequest, tower: NoTextTower, embedder: TowerEmbedder, texts: Sequence[str]
) -> Side:
    if not request.learnable:
        return TemplateSide(tower, embedder, texts)
    captions = texts if request.captions else filled(CAPTION, texts)
    return CaptionSide(tower, embedder, captions)


def _device_of(embedder: Embedder) -> torch.device:
    """A head is small: it stays on the CPU but where the embedder's model tells its device."""
    return getattr(embedder, "device", torch.device("cpu"))


def _embedded_texts(embedder: Embedder, texts: Sequence[str], options: RunOptions) -> Vectors:
    rows = []
    for start in range(0, len(texts), AT_ONCE):
        check_stop(options, "texts")
        rows.append(embedder.embed_texts(texts[start : start + AT_ONCE]))
        options.report("embed texts", min(start + AT_ONCE, len(texts)), len(texts), "")
    return np.concatenate(rows)


def _images(
    request: ClipnRequest, embedder: Embedder, options: RunOptions, say: Callable[[str], None]
) -> tuple[list[int], Vectors | None]:
    """Numbers of the pairs whose image can be read, and the vectors of these.

    Raises:
        UsageError: If none can.
    """
    if not request.pairs:
        return [], None
    count = len(request.pairs)
    paths = [pair.image for pair in request.pairs]
    seen, rows = look_at(paths, embedder.embed_images, options, say)
    if len(seen) < 2:
        raise UsageError(
            f"{request.pairs[0].image} and others: {len(seen)} of {count} images can be read; a "
            "CLIPN needs two at least"
        )
    return seen, np.concatenate(rows)
