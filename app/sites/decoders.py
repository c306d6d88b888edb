"""Builds a site's decoders: one for each frequency threshold, restartable at any moment.

    bundles/ftN, bundles/ftN-run2 ...   finished decoders
    work/build/<identity>/              checkpoint and cache of one that is in the making

A decoder's identity is the SHA-256 of all that decides it: the thresholded dictionary, the
embedder, the way of training, the seed. It stands in the bundle and names the work folder. So the
same command skips what is finished, goes on with what was begun, and builds anew what was made from
another dictionary or with other settings.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch

from app.errors import UsageError
from app.sites.forecast import Forecast
from app.sites.text_training import TextSettings, train_on_texts
from novic.bundle import Bundle, BundleError, load_bundle, read_card, save_new_bundle
from novic.embedder import Vectors
from novic.embedders.starter import StarterEmbedder, load_class_vectors
from novic.tokens import build_noun_tokens
from scenarios.dictionary import DictionaryError, ObjectDictionary, read_dictionary
from scenarios.paths import vectors_folder
from scenarios.raters.vectors.nouns import text_vectors
from scenarios.wordnet import WordNet, read_wordnet
from training.distilling.distil import DistilConfig
from training.distilling.site import site_material, site_teacher, train_site, usual_steps

type Method = Literal["distil", "texts"]

DEFAULT_THRESHOLDS = (6, 4, 2, 0)
"""Upstream's for scenarios (novic_spec §1.9)."""

BEST_BY = {"distil": "teacher_top1", "texts": "noised_noun_top1"}
"""Metric on what was held out by which runs are ranked."""

type Report = Callable[[str, int, int, str], None]
"""Told of progress: the stage, what is done of how much, and a figure to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What to build."""

    folder: Path
    """Of the scenario."""
    dictionary: Path
    """The site's, in upstream's schema."""
    thresholds: tuple[int, ...] = DEFAULT_THRESHOLDS
    runs: int = 1
    """Decoders for each threshold, which differ in their seed."""
    embedder: str = StarterEmbedder.spec
    method: Method = "distil"
    steps: int | None = None
    """Of method distil; None for `training.distilling.site.usual_steps`."""
    texts: TextSettings = field(default_factory=TextSettings)
    """Of method texts."""
    seed: int = 0
    """Of the first run; the others count on."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    command: str = ""
    """What was typed, for the bundles' provenance."""


@dataclass(frozen=True, slots=True)
class Built:
    """One decoder."""

    ft: int
    nouns: int
    path: Path
    metrics: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The decoder as scripts read it; keys are stable."""
        return {
            "ft": self.ft,
            "nouns": self.nouns,
            "path": str(self.path),
            "metrics": dict(self.metrics),
        }


@dataclass(frozen=True, slots=True)
class _Job:
    """One decoder to be built."""

    ft: int
    run: int
    seed: int
    dictionary: ObjectDictionary
    """Thresholded."""
    settings: Mapping[str, Any]
    """All that decides it, as JSON values."""
    path: Path
    """Where its bundle goes."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def identity(self) -> str:
        return _digest(self.settings)


def build_bundles(
    request: BuildRequest, report: Report, say: Callable[[str], None] = lambda _: None
) -> list[Built]:
    """Build what is not built yet.

    Args:
        request: What to build.
        report: Told of progress between steps. If it raises KeyboardInterrupt, a checkpoint is
            written first, and the same call goes on from there.
        say: Told in a sentence what is skipped and what is built anew, and why.

    Returns:
        All decoders asked for, thresholds in the order asked, the best run of each first.

    Raises:
        UsageError: If the request makes no sense.
        DictionaryError: If the dictionary is faulty, or a threshold leaves less than two nouns.
        BundleError: If a place for a bundle is taken by something else, or cannot be written.
        KeyboardInterrupt: If it was stopped.
    """
    _check(request)
    jobs = list(_jobs(request))
    open_ones = [job for job in jobs if not _is_done(job, say)]
    open_ones.sort(key=lambda job: -len(job.dictionary.entries))
    trainer = _Distiller(request, report, say) if request.method == "distil" else None
    if trainer is not None:
        report = _forecast(open_ones, report, say)
    for job in open_ones:
        work = request.folder / "work" / "build" / job.identity[:16]
        work.mkdir(parents=True, exist_ok=True)
        told = _named(report, job.name)
        if trainer is not None:
            bundle = trainer.train(job, work, told)
        else:
            bundle = train_on_texts(
                job.dictionary,
                request.embedder,
                request.texts,
                job.seed,
                work,
                request.device,
                told,
            )
        _save(job, bundle, request)
        shutil.rmtree(work, ignore_errors=True)
    built = [_built(job) for job in jobs]
    key = BEST_BY[request.method]
    return [
        one
        for ft in request.thresholds
        for one in sorted(
            (one for one in built if one.ft == ft), key=lambda one: -one.metrics.get(key, 0.0)
        )
    ]


def _forecast(jobs: Sequence[_Job], report: Report, say: Callable[[str], None]) -> Report:
    """A report that tells on the way how long all of it will take."""
    sizes = {job.name: len(job.dictionary.entries) for job in jobs}
    steps = {job.name: int(job.settings["training"]["steps"]) for job in jobs}
    forecast = Forecast(sizes, steps, say)

    def heard(stage: str, done: int, total: int, note: str) -> None:
        report(stage, done, total, note)
        if stage.endswith(": train"):
            forecast.heard(done)

    return heard


def _check(request: BuildRequest) -> None:
    if len(set(request.thresholds)) != len(request.thresholds):
        raise UsageError("--ft: a threshold is named twice")
    if min(request.thresholds) < 0:
        raise UsageError(f"--ft {min(request.thresholds)}: a threshold is 0 or more")
    if request.method == "distil" and request.embedder != StarterEmbedder.spec:
        raise UsageError(
            f"--method distil needs the classifier of the '{StarterEmbedder.spec}' embedder; "
            f"use --method texts for '{request.embedder}'"
        )
    if not request.dictionary.is_file():
        raise UsageError(
            f"{request.dictionary}: the site has no dictionary yet; make it with "
            f"nomaly scenario rate {request.folder.name}"
        )


def _jobs(request: BuildRequest) -> Iterator[_Job]:
    """All decoders, whether built or not."""
    whole = read_dictionary(request.dictionary)
    for ft in request.thresholds:
        dictionary = whole.thresholded(ft)
        if len(dictionary.entries) < 2:
            raise DictionaryError(
                f"{request.dictionary}: only one noun has a frequency above {ft}; a decoder needs "
                "two, choose a lower --ft"
            )
        for run in range(1, request.runs + 1):
            seed = request.seed + run - 1
            name = f"ft{ft}" if run == 1 else f"ft{ft}-run{run}"
            yield _Job(
                ft,
                run,
                seed,
                dictionary,
                _settings(request, dictionary, seed),
                request.folder / "bundles" / name,
            )


def _settings(request: BuildRequest, dictionary: ObjectDictionary, seed: int) -> dict[str, Any]:
    if request.method == "distil":
        steps = request.steps or usual_steps(len(dictionary.entries))
        # Without bfloat16, so that it makes no difference which machine builds; a CPU that lacks it
        # would take many times as long.
        training = asdict(DistilConfig(steps=steps, seed=seed, bfloat16=False))
    else:
        training = {**request.texts.as_json(), "seed": seed}
    return {
        "dictionary_sha256": _digest([asdict(entry) for entry in dictionary.entries]),
        "embedder": request.embedder,
        "method": request.method,
        "training": training,
    }


def _is_done(job: _Job, say: Callable[[str], None]) -> bool:
    """Whether the very bundle is there."""
    if not job.path.exists():
        return False
    try:
        before = read_card(job.path)["provenance"].get("scenario", {})
        if before.get("identity") == job.identity:
            load_bundle(job.path)
            say(f"{job.name}: is built already")
            return True
        settings = before.get("settings", {})
    except BundleError as error:
        say(f"{error}; it is built anew")
        return False
    changed = [name for name in job.settings if settings.get(name) != job.settings[name]]
    words = {"dictionary_sha256": "the dictionary"}
    listed = ", ".join(words.get(name, name) for name in changed)
    say(f"{job.name}: was built from something else ({listed} changed); it is built anew")
    return False


class _Distiller:
    """Trains for the starter embedder by distilling its teacher with the site's prior."""

    def __init__(self, request: BuildRequest, report: Report, say: Callable[[str], None]) -> None:
        self._request = request
        self._report = report
        self._say = say
        self._embedder: StarterEmbedder | None = None
        self._wordnet: WordNet | None = None

    def train(self, job: _Job, work: Path, report: Report) -> Bundle:
        """Train one decoder."""
        if self._embedder is None or self._wordnet is None:
            self._embedder = StarterEmbedder(self._request.device)
            self._wordnet = read_wordnet()
        embedder, wordnet = self._embedder, self._wordnet
        targets = job.dictionary.targets
        tokens = build_noun_tokens(targets, embedder.encode_noun, embedder.end_id)
        material = site_material(wordnet, job.dictionary, tokens, self._embed)
        frequencies = [entry.total_freq for entry in job.dictionary.entries]
        teacher = site_teacher(wordnet, material, frequencies, load_class_vectors())
        config = DistilConfig(**job.settings["training"])
        return train_site(material, teacher.to(self._request.device), config, work, report)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        """From the cache that all dictionaries of the user share, thresholds among them."""
        return text_vectors(
            texts,
            vectors_folder(),
            report=lambda done, total: self._report("embed texts", done, total, ""),
            tell=self._say,
        )


def _save(job: _Job, bundle: Bundle, request: BuildRequest) -> None:
    """Put a bundle in its place, whole."""
    job.path.parent.mkdir(parents=True, exist_ok=True)
    whole = replace(
        bundle,
        frequencies={entry.target_noun: entry.total_freq for entry in job.dictionary.entries},
        provenance={
            "command": request.command,
            **bundle.provenance,
            "scenario": {
                "name": request.folder.name,
                "ft": job.ft,
                "identity": job.identity,
                "settings": dict(job.settings),
            },
        },
    )
    save_new_bundle(job.path, whole, half=True, overwrite=True)


def _built(job: _Job) -> Built:
    return Built(job.ft, len(job.dictionary.entries), job.path, read_card(job.path)["metrics"])


def _named(report: Report, name: str) -> Report:
    """Progress whose stages say which decoder they are of."""
    return lambda stage, done, total, note: report(f"{name}: {stage}", done, total, note)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
