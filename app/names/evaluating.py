"""`nomaly evaluate`: one model names sets of images, and a predictions file is written for each."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from app.errors import StoppedError, UsageError
from app.progress import Reporter
from app.stop import stoppable
from novic.bundle import Bundle
from novic.decode import NounDecoder
from novic.embedder import Embedder
from novic.gencfg import GenConfig
from novic.image_sets import ImageSet, Split, open_image_set
from novic.model import (
    ModelOptions,
    NounModel,
    build_embedder,
    model_sha256,
    open_decoder,
    starter_bundle_path,
)
from novic.upstream import read_model_file
from scenarios.dictionary import ObjectDictionary
from training.evaluation.class_names import accepted_nouns, learnt_part, read_class_names
from training.evaluation.evaluate import BATCH, Evaluated, Task, evaluate
from training.evaluation.predictions import (
    EvaluationError,
    Predictions,
    read_predictions,
    write_predictions,
)

DIRECT_GUIDED = (GenConfig("greedy", 1, guide="n"), GenConfig("greedy", 1, guide="p"))
"""What upstream's eval_cls asks for: greedy answers without and with the classes as a guide."""

UNNAMED = 5
"""Classes without a noun that a sentence lists."""


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What a model is asked."""

    sets: tuple[str, ...]
    """As `novic.image_sets.open_image_set` takes them."""
    out: Path
    """A .json file, or a folder for a file per set."""
    configs: tuple[GenConfig, ...]
    model: Path | None = None
    embedder: str | None = None
    """Spec of the model's embedder from elsewhere; None as the model names it."""
    root: Path | None = None
    split: Split = "valid"
    class_names: Path | None = None
    dictionary: ObjectDictionary | None = None
    guide: tuple[str, ...] | None = None
    """Nouns that alone may be said; empty for the vocabulary, None for the classes' nouns where
    there are classes."""
    direct_guided: bool = False
    """Upstream's eval_cls besides: every class must have a noun that the model learnt."""
    batch: int = BATCH
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class _Model:
    """A decoder, the embedder it reads, and what tells it from others."""

    path: Path
    sha256: str
    bundle: Bundle
    embedder: Embedder


@dataclass(frozen=True, slots=True)
class EvaluatedSet:
    """A predictions file that was written."""

    file: Path
    predictions: Predictions

    @property
    def labelled(self) -> bool:
        """Whether its images have classes, so that it can be scored as it is."""
        return bool(self.predictions.nomaly["labels"])

    @property
    def broken(self) -> dict[str, str]:
        """Images that could not be read, and why."""
        return self.predictions.nomaly["broken"]


def evaluate_sets(
    request: EvaluateRequest, device: torch.device, reporter: Reporter
) -> Iterator[EvaluatedSet]:
    """Evaluate set after set; each file is there as soon as its set is done.

    Args:
        request: What to evaluate.
        device: Where the model runs.
        reporter: Told how far it is.

    Raises:
        UsageError: If a place holds other results or two sets would share one.
        EvaluationError: If a set or its class names cannot be used.
        StoppedError: On Ctrl-C; the same command goes on from there.
        BundleError: If the model cannot be read or does not fit its embedder.
        CheckpointError: If it is a checkpoint that cannot be used.
        EmbedderError: If its embedder cannot be built here.
    """
    sets = [open_image_set(text, request.root, request.split) for text in request.sets]
    places = [_place(request, images) for images in sets]
    if len(set(places)) < len(places):
        raise UsageError("two data sets have one name, so their results would share a file")
    path = request.model or starter_bundle_path()
    bundle = read_model_file(path, device)
    model = _Model(
        path,
        model_sha256(path),
        bundle,
        build_embedder(request.embedder or bundle.embedder, device),
    )
    for images, place in zip(sets, places, strict=True):
        yield EvaluatedSet(place, _evaluate_set(request, model, images, place, reporter))


def _place(request: EvaluateRequest, images: ImageSet) -> Path:
    """Where a set's predictions go."""
    if request.out.suffix == ".json":
        if len(request.sets) > 1:
            raise UsageError(
                f"--out {request.out}: is one file for {len(request.sets)} data sets; name a folder"
            )
        place = request.out
    else:
        place = request.out / f"infer_{images.name}.json"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {place}: cannot be made: {error.strerror or error}") from error
    return place


def _evaluate_set(
    request: EvaluateRequest, model: _Model, images: ImageSet, place: Path, reporter: Reporter
) -> Predictions:
    if request.class_names is not None and images.classes:
        names = read_class_names(request.class_names, images.name, len(images.classes))
        images = replace(images, classes=names)
    accepted = _truth(request, images, model.bundle.tokens.nouns)
    if unnamed := _without_noun(images, accepted):
        reporter.say(f"{images.name}: {_unnamed(unnamed, len(images.classes))}; never right")
    decoder = _decoder(request, model.bundle, accepted)
    # Refuses an embedder of another width, before the first image is read.
    NounModel(model.embedder, decoder)
    configs = tuple(dict.fromkeys(request.configs + DIRECT_GUIDED * request.direct_guided))
    task = Task(images, configs, accepted, request.batch)
    settings = _settings(request, model, task, decoder)
    if place.exists() and not request.overwrite:
        return _done_before(place, settings, reporter)
    journal = place.with_name(f"{place.name}.part")
    evaluated = _run(model.embedder, decoder, task, journal, settings, reporter)
    for name, error in evaluated.broken.items():
        reporter.say(f"{images.name}: {name}: {error}; left out")
    predictions = _predictions(model, decoder, task, settings, evaluated)
    write_predictions(place, predictions)
    journal.unlink(missing_ok=True)
    return predictions


def _predictions(
    model: _Model,
    decoder: NounDecoder,
    task: Task,
    settings: dict[str, Any],
    evaluated: Evaluated,
) -> Predictions:
    """All that the file of a set holds."""
    return Predictions(
        model=f"{model.path.absolute().parent.name}/{model.path.name}",
        model_path=str(model.path.absolute()),
        guide_targets=_guide_targets(decoder),
        vocab_targets=model.bundle.tokens.nouns,
        samples=evaluated.samples,
        answers=evaluated.answers,
        model_cfg={"embedder": model.bundle.embedder, **model.bundle.provenance},
        infer_cfg=settings,
        nomaly={
            "image_set": task.images.name,
            "classes": list(task.images.classes),
            "classes_without_noun": _without_noun(task.images, task.accepted),
            "labels": evaluated.labels,
            "broken": evaluated.broken,
        },
    )


def _settings(
    request: EvaluateRequest, model: _Model, task: Task, decoder: NounDecoder
) -> dict[str, Any]:
    """What the results depend on, short enough to stand in a file."""
    truth = ("\n".join(sorted(nouns)) for nouns in task.accepted)
    return {
        "model_sha256": model.sha256,
        "embedder": model.bundle.embedder,
        "image_set": task.images.name,
        "images_sha256": _digest(task.images.images),
        "split": request.split,
        "gencfgs": [config.name for config in task.configs],
        "guide_sha256": _digest(_guide_targets(decoder)),
        "truth_sha256": _digest(truth),
    }


def _done_before(place: Path, settings: dict[str, Any], reporter: Reporter) -> Predictions:
    """The results of the same evaluation, done before a stop that came in a later set."""
    before = read_predictions(place)
    if before.infer_cfg != settings:
        raise UsageError(
            f"--out {place}: exists already, of another evaluation; name another or say --overwrite"
        )
    reporter.say(f"{place}: was done before; --overwrite would do it again")
    return before


def _truth(
    request: EvaluateRequest, images: ImageSet, nouns: Sequence[str]
) -> Sequence[frozenset[str]]:
    """Right nouns of each class; empty without classes."""
    if not images.classes:
        if request.direct_guided:
            raise EvaluationError(f"{images.name}: has no classes, which --direct-guided needs")
        return ()
    dictionary = request.dictionary
    if not request.direct_guided:
        return accepted_nouns(images.classes, nouns, dictionary)
    if dictionary is not None:
        dictionary = learnt_part(dictionary, nouns)
    accepted = accepted_nouns(images.classes, nouns, dictionary)
    if unnamed := _without_noun(images, accepted):
        raise EvaluationError(
            f"{images.name}: {_unnamed(unnamed, len(accepted))}, and --direct-guided needs one for "
            "every class; name its synonyms with --class-names or --dictionary"
        )
    return accepted


def _without_noun(images: ImageSet, accepted: Sequence[frozenset[str]]) -> list[str]:
    """The classes that no noun of the model is right for."""
    return [name for name, nouns in zip(images.classes, accepted, strict=True) if not nouns]


def _unnamed(unnamed: Sequence[str], classes: int) -> str:
    more = ", ..." if len(unnamed) > UNNAMED else ""
    listed = "; ".join(unnamed[:UNNAMED])
    return f"the model has no noun for {len(unnamed)} of {classes} classes ({listed}{more})"


def _decoder(
    request: EvaluateRequest, bundle: Bundle, accepted: Sequence[frozenset[str]]
) -> NounDecoder:
    """The decoder with the guide set that was asked for."""
    guide = request.guide
    if guide is None:
        guide = tuple(sorted(frozenset().union(*accepted)))
        if accepted and not guide:
            raise EvaluationError(
                "the model has no noun for any class; name synonyms with --class-names or "
                "--dictionary, or say --guide vocabulary"
            )
    resolve = request.dictionary.resolve if request.dictionary else None
    options = ModelOptions(
        guide=guide,
        spellings=lambda text: [e.target_noun for e in resolve(text)] if resolve else (),
    )
    return open_decoder(bundle, options)


def _guide_targets(decoder: NounDecoder) -> Sequence[str]:
    return decoder.guide.nouns if decoder.guide else decoder.bundle.tokens.nouns


def _run(
    embedder: Embedder,
    decoder: NounDecoder,
    task: Task,
    journal: Path,
    settings: dict[str, Any],
    reporter: Reporter,
) -> Evaluated:
    """Evaluate, showing how far it is; Ctrl-C ends it between two batches."""
    done = 0
    total = len(task.images.images)
    with stoppable() as stop, reporter.task(f"Naming {task.images.name}", total) as meter:

        def report(now: int, total: int, broken: int) -> None:
            nonlocal done
            done = now
            meter.to(now, f"{now} of {total} images" + (f", {broken} broken" if broken else ""))
            if now < total:
                stop.check()

        try:
            return evaluate(embedder, decoder, task, journal, settings, report)
        except KeyboardInterrupt as error:
            raise StoppedError(
                f"stopped after {done} of {total} images of {task.images.name}; "
                "the same command goes on from there"
            ) from error


def _digest(texts: Iterable[str]) -> str:
    """SHA-256 of a list of texts."""
    found = hashlib.sha256()
    for text in texts:
        found.update(text.encode(errors="surrogateescape") + b"\0")
    return found.hexdigest()
