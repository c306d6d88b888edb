"""Names the images of a set with one or more ways of decoding, and judges the names by the classes.

Images are embedded once and decoded in every way. After each batch the answers go to a journal
beside the results; an evaluation that was stopped or killed goes on from there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from novic.decode import DecodedNoun
from novic.embedder import Pixels, Vectors
from novic.gencfg import GenConfig
from novic.image_sets import ImageSet
from novic.images import LoadedImage, load_images
from training.evaluation.journal import Journal
from training.evaluation.predictions import CORRECT, DECIMALS, Answers, EvaluationError

BATCH = 32
"""Images named at once, by default."""


class Embeds(Protocol):
    """Whatever turns images into vectors; a `novic.embedder.Embedder` does."""

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        """Unit vectors [N, F] of N images, RGB uint8 [H, W, 3]."""
        ...


class Decodes(Protocol):
    """Whatever names vectors; a `novic.decode.NounDecoder` does."""

    def decode(self, vectors: Vectors, config: GenConfig) -> Sequence[Sequence[DecodedNoun]]:
        """Up to `config.topk` nouns of each vector, best first."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is evaluated, and against what."""

    images: ImageSet
    configs: Sequence[GenConfig]
    accepted: Sequence[frozenset[str]] = ()
    """Right nouns of each class; empty without classes."""
    batch: int = BATCH


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """What came of a task."""

    samples: list[str] = field(default_factory=list)
    """Images that could be read, in the order of the set."""
    labels: list[int] = field(default_factory=list)
    """Their classes; empty without classes."""
    answers: dict[str, Answers] = field(default_factory=dict)
    """For each config's name."""
    broken: dict[str, str] = field(default_factory=dict)
    """Images that could not be read, and why."""


def evaluate(
    embedder: Embeds,
    decoder: Decodes,
    task: Task,
    journal: Path,
    settings: Mapping[str, Any],
    report: Callable[[int, int, int], None] = lambda done, total, broken: None,
) -> Evaluated:
    """Name all images of a task, going on from its journal if there is one.

    Args:
        embedder: Reads them.
        decoder: Names them, guided by the guide set if it is to be.
        task: What to name and how.
        journal: File of the answers so far; left in place, for the caller to remove when the
            results are written.
        settings: What the answers depend on; a journal of other settings is refused.
        report: Told after each batch how many images are done, of how many, and how many of those
            could not be read. What it raises ends the evaluation; nothing done is lost.

    Raises:
        EvaluationError: If the journal is of another evaluation or cannot be written, or if no
            image can be read.
    """
    kept = Journal(journal, settings)
    total = len(task.images.images)
    left = [at for at in range(total) if task.images.images[at] not in kept.rows]
    report(len(kept.rows), total, kept.broken)
    for batch in batched(_load(task.images, left), task.batch):
        kept.add(_name(embedder, decoder, task, batch))
        report(len(kept.rows), total, kept.broken)
    return _judge(task, kept.rows)


def _load(images: ImageSet, numbers: Sequence[int]) -> Iterator[LoadedImage]:
    """Some images of a set by their numbers; their paths are their names in the set."""
    names = (images.images[at] for at in numbers)
    if images.pictures is not None:
        pictures = images.pictures
        yield from (LoadedImage(n, pictures[at]) for n, at in zip(names, numbers, strict=True))
        return
    for name, read in zip(names, load_images(str(images.files[at]) for at in numbers), strict=True):
        yield LoadedImage(name, read.image, read.error)


def _name(
    embedder: Embeds, decoder: Decodes, task: Task, batch: Sequence[LoadedImage]
) -> Iterator[dict[str, Any]]:
    """The journal's rows of a batch, in its order."""
    errors = {loaded.path: loaded.error for loaded in batch if loaded.image is None}
    images = {loaded.path: loaded.image for loaded in batch if loaded.image is not None}
    found: dict[str, Iterator[Sequence[DecodedNoun]]] = {}
    if images:
        vectors = embedder.embed_images(list(images.values()))
        usable = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
        useless = [path for path, good in zip(images, usable, strict=True) if not good]
        errors |= dict.fromkeys(useless, "the embedder makes no vector of it")
        if usable.any():
            vectors = vectors[usable]
            found = {config.name: iter(decoder.decode(vectors, config)) for config in task.configs}
    for loaded in batch:
        if error := errors.get(loaded.path):
            yield {"image": loaded.path, "error": error}
        else:
            named = {name: [_plain(said) for said in next(rows)] for name, rows in found.items()}
            yield {"image": loaded.path, "answers": named}


def _plain(said: DecodedNoun) -> list[Any]:
    """A noun as the journal holds it."""
    return [said.noun, round(said.score, DECIMALS), int(said.kind)]


def _judge(task: Task, rows: Mapping[str, Mapping[str, Any]]) -> Evaluated:
    """Put the rows in order and mark the nouns that are right."""
    evaluated = Evaluated()
    named: list[Mapping[str, Sequence[tuple[str, float, int]]]] = []
    right: list[frozenset[str]] = []
    for number, image in enumerate(task.images.images):
        if "error" in rows[image]:
            evaluated.broken[image] = rows[image]["error"]
            continue
        evaluated.samples.append(image)
        named.append(rows[image]["answers"])
        if task.accepted:
            label = task.images.labels[number]
            evaluated.labels.append(label)
            right.append(task.accepted[label])
        else:
            right.append(frozenset())
    if not named:
        first = next(iter(evaluated.broken.items()), ("", "there are no images"))
        raise EvaluationError(
            f"{task.images.name}: none of its {len(rows)} images can be read ({': '.join(first)})"
        )
    for config in task.configs:
        said = [answers[config.name] for answers in named]
        evaluated.answers[config.name] = Answers(
            gen_cfg(config),
            nouns=[[noun for noun, _, _ in row] for row in said],
            scores=[[score for _, score, _ in row] for row in said],
            results=[
                [CORRECT if noun in good else kind for noun, _, kind in row]
                for row, good in zip(said, right, strict=True)
            ],
        )
    return evaluated


def gen_cfg(config: GenConfig) -> dict[str, Any]:
    """A generation config with the keys of a predictions file."""
    return {
        "method": config.method,
        "topk": config.topk,
        "vocab_prior": config.prior != "none",
        "vocab_per_token": config.prior == "tok",
        "vocab_scaler": config.scaler,
        "guided": config.guide != "n",
        "guide_renorm": config.guide == "r",
        "temperature": config.temperature,
        "length_alpha": config.length_alpha,
        "name": config.name,
    }
