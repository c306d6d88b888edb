"""`nomaly evaluate ood`: sees the pictures of all folders, then fits and measures the scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.errors import StoppedError, UsageError
from app.progress import Reporter
from app.stop import Stop, stoppable
from app.unknown.keeping import Before, Learned, bindings_of, keep, read_before, unlearned
from app.unknown.looking import (
    Folder,
    Patches,
    Seen,
    check_apart,
    check_distinct,
    find_folder,
    look,
)
from app.unknown.measuring import (
    NO_NOUNS,
    NO_PATCHES,
    ByTexts,
    Inputs,
    Measured,
    halves,
    measure_all,
    measure_fitted,
)
from app.unknown.outputs import write_all
from app.unknown.request import OodRequest, OodResult
from app.unknown.site import Site, texts_of
from calibration.scores.protocol import Ints, Pictures
from novic.embedder import EmbedderError
from novic.extras import MissingPackageError
from novic.folders import cache_folder

if TYPE_CHECKING:
    from app.unknown.tagging import TagoodEyes
    from novic.model import NounModel

LEAST = 4
"""Pictures that can be halved, so that something is measured on more than one."""


@dataclass(frozen=True, slots=True)
class _Folders:
    """All folders by their part; those of what is not known by name."""

    known: Folder
    others: dict[str, Folder]
    fit: Folder | None
    tuning: Folder | None

    @property
    def every(self) -> list[Folder]:
        extra = [one for one in (self.fit, self.tuning) if one is not None]
        return [self.known, *extra, *self.others.values()]


def evaluate_ood(request: OodRequest, reporter: Reporter) -> OodResult:
    """Measure every score that the pictures allow, and write what was measured.

    Args:
        request: What to measure.
        reporter: Told how far it is.

    Raises:
        UsageError: If a folder is not there, holds too few pictures, or shares some with another.
        StoppedError: On Ctrl-C.
        calibration.kept.KeptError: If scores cannot be kept, or kept ones not used.
        novic.errors.NomalyError: If the model or its embedder cannot be used.
    """
    before = read_before(request.fitted) if request.fitted is not None else None
    folders = _find(request, reporter, before)
    with stoppable() as stop:
        try:
            return _evaluate(request, before, folders, reporter, stop)
        except KeyboardInterrupt as error:
            raise StoppedError("stopped; nothing was measured whole") from error


def _find(request: OodRequest, reporter: Reporter, before: Before | None) -> _Folders:
    def found(path: Path, *, labels: bool = False) -> Folder:
        return find_folder(path, labels=labels and request.labels, say=reporter.say)

    every = [request.known, request.fit, request.tuning, *request.others]
    check_distinct([path for path in every if path is not None])
    names = [path.resolve().name for path in request.others]
    others = {
        name if names.count(name) == 1 else str(path): found(path)
        for name, path in zip(names, request.others, strict=True)
    }
    fit = found(request.fit, labels=True) if request.fit is not None else None
    tuning = found(request.tuning) if request.tuning is not None else None
    known = found(request.known, labels=request.fit is None and before is None)
    if before is not None:
        known = unlearned(known, before.learned, reporter.say)
        others = {
            name: unlearned(folder, before.learned, reporter.say) for name, folder in others.items()
        }
    folders = _Folders(known, others, fit, tuning)
    check_apart(folders.every)
    return folders


def _evaluate(
    request: OodRequest,
    before: Before | None,
    folders: _Folders,
    reporter: Reporter,
    stop: Stop,
) -> OodResult:
    looked = _look(request, before, folders, reporter, stop)
    seen, model, eyes = looked.seen, looked.model, looked.eyes
    known, learned = seen[folders.known.path], seen[(folders.fit or folders.known).path]
    fit_rows, new_rows = _parted(request, before, known, learned)
    if before is None:
        on = _learned(request, learned, fit_rows, folders.tuning and seen[folders.tuning.path])
    else:
        on = before.learned
    site = Site(on.nouns) if on.nouns else None

    def pictures(of: Seen) -> Pictures:
        return _pictures(of, site)

    def measured(of: Seen, rows: Ints | None = None) -> Pictures:
        every = np.arange(len(of.files)) if rows is None else rows
        patches = None if looked.no_patches else of.take_patches(every)
        return replace(pictures(of).part(every), patches=patches)

    others = {name: seen[folder.path] for name, folder in folders.others.items()}
    inputs = Inputs(
        pictures(learned).part(fit_rows),
        measured(known, new_rows),
        {name: measured(of) for name, of in others.items()},
        pictures(seen[folders.tuning.path]) if folders.tuning is not None else None,
        eyes.saved.centres if eyes is not None else None,
        looked.no_patches,
    )
    if before is None:
        texts = _texts(request, site, model, reporter, stop)
        measure = partial(measure_all, inputs, texts, request.seed)
    else:
        measure = partial(measure_fitted, before.kept, inputs, request.seed)
    done = _measure(measure, reporter, stop)
    if request.out is not None:
        files = {name: of.files for name, of in others.items()}
        write_all(request.out, done, [known.files[row] for row in new_rows], files)
    if request.keep is not None:
        bindings = bindings_of(model.embedder, request.model, request.tagood)
        keep(request.keep, done.fitted, bindings, on.only_for(done.fitted))
    return OodResult(
        request=request,
        embedder=model.embedder.spec,
        fitted=len(fit_rows) if before is None else len(on.pictures),
        classes=on.classes,
        nouns=on.nouns,
        new=len(new_rows),
        others={name: len(of.files) for name, of in others.items()},
        broken={file: why for of in seen.values() for file, why in of.broken.items()},
        measured=done,
    )


def _learned(request: OodRequest, learned: Seen, rows: Ints, tuning: Seen | None) -> Learned:
    """What scores are about to be fitted on; its pictures only if it is to be kept."""
    classes = learned.folder.classes
    on = Learned(classes, request.nouns or classes)
    if request.keep is None:
        return on
    files = [learned.files[row] for row in rows]
    return on.with_pictures(files, tuning.files if tuning is not None else ())


def _parted(
    request: OodRequest, before: Before | None, known: Seen, learned: Seen
) -> tuple[Ints, Ints]:
    """Rows of what is fitted on, none if that was done before, and of the known to be measured."""
    every = np.arange(len(known.files))
    if before is not None:
        return every[:0], every
    if known is not learned:
        return np.arange(len(learned.files)), every
    if len(known.files) < LEAST:
        raise UsageError(
            f"{request.known}: needs {LEAST} pictures or more, of which half are fitted on"
        )
    fit_rows, new_rows = halves(len(known.files), known.labels, request.seed)
    if not len(new_rows):
        raise UsageError(f"{request.known}: has one picture a class, so none is left to measure on")
    return fit_rows, new_rows


def _pictures(of: Seen, site: Site | None) -> Pictures:
    """What scores may learn from; patches are none of it."""
    inside = site.inside(of.nouns, of.log_p.shape[1]) if site is not None else None
    return Pictures(
        of.vectors,
        of.labels,
        log_p=of.log_p,
        inside=inside,
        projected=of.projected,
        tag_p=of.tag_p,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """What is seen in every folder, by its path, and what saw it."""

    seen: Mapping[Path, Seen]
    model: "NounModel"
    eyes: "TagoodEyes | None"
    no_patches: str


def _look(
    request: OodRequest,
    before: Before | None,
    folders: _Folders,
    reporter: Reporter,
    stop: Stop,
) -> _Looked:
    models: list[tuple[NounModel, TagoodEyes | None]] = []
    total = sum(len(folder.files) for folder in folders.every)
    asked = (folders.known, *folders.others.values())
    patches = Patches(sum(len(of.files) for of in asked), _no_patches(request, before, folders))
    seen: dict[Path, Seen] = {}
    done = 0
    with reporter.task("Looking at pictures", total) as meter:

        def load() -> "tuple[NounModel, TagoodEyes | None]":
            if not models:
                meter.to(done, "loading what sees them")
                model, eyes = _model(request)
                if before is not None:
                    before.check(model.embedder, request.model, request.tagood)
                models.append((model, eyes))
            return models[0]

        def told(of_folder: int) -> None:
            meter.to(done + of_folder, f"{done + of_folder} of {total}")
            stop.check()

        for folder in folders.every:
            keep_patches = any(folder is one for one in asked)
            seen[folder.path] = look(folder, load, told, patches, keep_patches=keep_patches)
            done += len(folder.files)
    for of in seen.values():
        for file, why in of.broken.items():
            reporter.say(f"{file}: {why}; left out")
    return _Looked(seen, *models[0], patches.why_not)


def _no_patches(request: OodRequest, before: Before | None, folders: _Folders) -> str:
    """Why nothing asks for patches; empty if something does."""
    if before is not None:
        return "" if "gl_mcm" in before.kept.scores else NO_PATCHES
    return "" if request.nouns or (folders.fit or folders.known).classes else NO_NOUNS


def _model(request: OodRequest) -> "tuple[NounModel, TagoodEyes | None]":
    from novic.device import resolve_device  # noqa: PLC0415 - torch, once the folders are right
    from novic.model import ModelOptions, load_model  # noqa: PLC0415

    options = ModelOptions(embedder=request.embedder, persons=False)
    device = resolve_device(request.device)
    model = load_model(request.model, device, options)
    if request.tagood is None:
        return model, None
    from app.unknown.tagging import TagoodEyes  # noqa: PLC0415

    return model, TagoodEyes(request.tagood, model.embedder, device)


def _texts(
    request: OodRequest, site: Site | None, model: "NounModel", reporter: Reporter, stop: Stop
) -> ByTexts:
    """Vectors of the site's nouns and of all others that the decoder knows."""
    if site is None:
        return ByTexts(why_not=NO_NOUNS)
    with reporter.task("Embedding nouns") as meter:

        def told(done: int, total: int) -> None:
            meter.count(done, total)
            stop.check()

        try:
            nouns: Sequence[str] = model.bundle.tokens.nouns
            found = texts_of(
                site, nouns, model.embedder, request.template, told, cache_folder() / "texts"
            )
        except (EmbedderError, MissingPackageError) as error:
            return ByTexts(why_not=str(error))
    return ByTexts(found.positive, found.negative)


def _measure(
    measure: Callable[[Callable[[int, int, str], None]], Measured], reporter: Reporter, stop: Stop
) -> Measured:
    with reporter.task("Fitting and measuring scores") as meter:

        def told(done: int, total: int, name: str) -> None:
            meter.count(done, total, name)
            stop.check()

        return measure(told)
