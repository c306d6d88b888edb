"""`nomaly calibrate`: looks at normal footage, puts things into it, and keeps what it shows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from app.calibrating.answers import Answers, read_answers
from app.calibrating.belonging import Knows, weighed
from app.calibrating.drift import drift_of
from app.calibrating.footage import How, Looked, look, moments
from app.calibrating.keeping import LOOKED, Again, Earlier, Merged, earlier_of
from app.calibrating.measuring import MOST_NAMED, measured
from app.calibrating.planting import Sown, pictured, scenes, sown
from app.calibrating.request import Calibrated, CalibrateRequest
from app.calibrating.ringing import rings_said
from app.calibrating.watched import Watched
from app.calibrating.words import NO_ANSWERS, listed
from app.errors import UsageError
from app.feedback.verdicts import now_us
from app.paths import shown_path
from app.progress import Reporter
from app.simulator.photos import PhotoError
from app.stop import Stop, stoppable
from app.watching.camera_settings import CameraSettings
from app.watching.keeper import keeper_of
from app.watching.namer import Names, Words
from calibration.blindness import BlindMap
from calibration.site.calibrated import Bindings, SiteCalibration, calibrated
from calibration.site.confirmed import Refit, refit
from calibration.site.files import dictionary_sha256, write_calibration
from calibration.site.weights import Weighed
from detectors.base import Detector
from detectors.files import CALIBRATION, read_facts

GUESSED = "times are a guess by the files' dates, so hours and times of the day may be wrong"
_FIRST = (
    "{}: holds no calibration of this detector, embedder and decoder; calibrate once with footage "
    "(--normal) before answers alone can be learned"
)
_NO_DRIFT = "drift: not measured, how rare a thing looks here is not known"
_UNASKED = {
    "names_p": "not refitted",
    "verdict": "the rule is kept",
    "rings": "not measured",
}
"""What is told of parts that need answers where there are none."""


def site_folder(path: Path) -> Path:
    """Where the detector lies: the folder itself, or `detector` in that of a run.

    Raises:
        detectors.base.DetectorError: If there is none.
    """
    inside = path / "detector"
    folder = inside if inside.is_dir() and not (path / "detector.json").exists() else path
    read_facts(folder)
    return folder


def calibrate(request: CalibrateRequest, reporter: Reporter) -> Calibrated:
    """Measure how far a camera can be trusted, and keep it beside its detector.

    Ctrl-C ends what is under way; what was seen until then is calibrated and kept. Parts that are
    not measured to their end, or that nobody asked for, stay as they were.

    Args:
        request: What is calibrated.
        reporter: Told how far it is.

    Raises:
        UsageError: If the answers of people cannot be used.
        novic.errors.NomalyError: If the detector, the model or the footage cannot be used, or the
            calibration cannot be written.
    """
    from detectors.build import load_detector  # noqa: PLC0415 - torch, once all is right
    from novic.device import resolve_device  # noqa: PLC0415
    from novic.model import ModelOptions, load_model, model_sha256  # noqa: PLC0415

    answers = Answers((), 0) if request.events is None else read_answers(request.events)
    if not request.normal and not (request.site / CALIBRATION).exists():
        raise UsageError(_FIRST.format(shown_path(request.site)))
    device = resolve_device(request.device)
    detector = load_detector(request.site, device)
    if detector.frame_size is None:
        raise UsageError(f"{shown_path(request.site)}: the detector has learned nothing yet")
    options = ModelOptions(embedder=request.embedder)
    names = load_model(request.model, device, options, many_images=True)
    nouns = tuple(names.bundle.tokens.nouns)
    bindings = Bindings(
        read_facts(request.site)["weights_sha256"],
        names.embedder.spec,
        model_sha256(request.model),
        dictionary_sha256(nouns),
    )
    frequency = Words.of(names).frequency
    known = {noun: frequency(noun) for noun in nouns}
    return calibrate_with(Tools(detector, names, bindings, known.get), request, answers, reporter)


@dataclass(frozen=True, slots=True, eq=False)
class Tools:
    """What looks and what names."""

    detector: Detector
    names: Names
    bindings: Bindings
    """What both are."""
    knows: Knows = lambda _: 0.0
    """What is known of a noun at the site."""


def calibrate_with(
    tools: Tools, request: CalibrateRequest, answers: Answers, reporter: Reporter
) -> Calibrated:
    """The same with a detector and a model that are open already; see `calibrate`."""
    with stoppable(reporter.say) as stop:
        return _Work(tools, request, answers, reporter).run(stop)


class _Work:
    """Goes through the steps, and keeps what each gave."""

    def __init__(
        self, tools: Tools, request: CalibrateRequest, answers: Answers, reporter: Reporter
    ) -> None:
        self._request, self._answers, self._reporter = request, answers, reporter
        self._detector, self._names = tools.detector, tools.names
        self._bindings, self._knows = tools.bindings, tools.knows
        self._looked = Looked()
        self._sown: list[Sown] = []
        self._stays_s = list[float]()
        self._all_looked = self._all_sown = False
        why = "stopped before it" if request.blind else "--no-blind-map"
        if not request.normal:
            why = "no footage (--normal)"
        self._why_blind = f"blind_map: not measured, {why}"
        self._earlier: Earlier | None = None

    def run(self, stop: Stop) -> Calibrated:
        request = self._request
        self._earlier = earlier_of(request.site, self._bindings, self._reporter.say)
        if not request.normal:
            if self._earlier is None:
                raise UsageError(_FIRST.format(shown_path(request.site)))
            view = self._detector.view
            self._looked.picture = None if view is None else view.picture
            return self._told(self._keep(stopped=False))
        stopped = False
        try:
            self._look(stop.check)
            self._all_looked = True
            self._keep(stopped=False)
            if request.blind:
                stop.check()
                self._plant(stop.check)
        except KeyboardInterrupt:
            stopped = True
        return self._told(self._keep(stopped=stopped))

    def _told(self, done: Calibrated) -> Calibrated:
        """The same, once what stays was said."""
        if done.kept:
            self._reporter.say(f"Kept from an earlier calibration: {listed(done.kept)}.")
        return done

    def _look(self, check: Callable[[], None]) -> None:
        request, watched = self._request, self._request.watched
        how = How(watched.fps, watched.rule, watched.zones)
        for seen in look(request.normal, self._detector, self._names, how, self._reporter, check):
            self._looked = seen
        if self._looked.backwards:
            self._reporter.say(self._looked.backwards)

    def _plant(self, check: Callable[[], None]) -> None:
        """Put things into moments of the footage."""
        request, detector = self._request, self._detector
        how = replace(request.planting, settings=self._settings)
        size = detector.frame_size or (0, 0)
        windows = moments(self._looked, size, request.watched.fps, request.repeats)
        if not windows:
            self._why_blind = "blind_map: not measured, no minute of the footage is long enough"
        try:
            with self._reporter.task("Putting things into it", len(windows) or None) as meter:
                for number, give in enumerate(windows):
                    meter.to(number, f"{len(self._sown)} things")
                    window = give()
                    if window is None:
                        continue
                    first = len(self._sown)
                    self._stays_s.append(window.stays_s)
                    for scene in scenes(window, how, number):
                        check()
                        self._sown += sown(detector, window, scene, how.settings)
                    self._sown[first:] = pictured(
                        self._sown[first:], max(1, MOST_NAMED // len(windows))
                    )
            self._all_sown = bool(self._sown)
            if windows and not self._sown:
                self._why_blind = "blind_map: not measured, no moment could be read whole"
        except PhotoError as error:
            self._why_blind = f"blind_map: not measured: {error}"
            self._reporter.say(self._why_blind)

    @cached_property
    def _settings(self) -> CameraSettings:
        """As the camera is watched."""
        watched = self._request.watched
        keeper = keeper_of(
            self._detector,
            self._request.site,
            watched.promise,
            lambda _: None,
            rule=watched.rule,
            state=watched.evidence,
            bar=watched.bar,
        )
        return CameraSettings(rule=watched.rule, zones=watched.zones, keeper=keeper)

    def _blind(self) -> tuple[BlindMap | None, str]:
        """What was found of what was put there, and what is told of that."""
        things = tuple(one.planted for one in self._sown)
        if not things:
            return None, self._why_blind
        stays_s = float(np.median(self._stays_s))
        early = "" if self._all_sown else "; stopped before all were"
        said = (
            f"blind_map: {len(things)} things were put there for {stays_s:.2g} s each, at bar "
            f"{self._settings.bar:.2f}{_as_watched(self._request.watched)}{early}"
        )
        return BlindMap(things, self._request.planting.grid, self._settings.bar, stays_s), said

    def _keep(self, *, stopped: bool) -> Calibrated:
        """Calibrate on all that is there by now, and write it."""
        looked, crops = self._looked, self._looked.crops
        fitted, held_out = calibrated(self._bindings, crops, looked.length_s)
        names, verdict = refit(self._answers.events), self._verdict
        blind, blind_said = self._blind()
        drift = drift_of(fitted, crops, held_out, looked.minutes)
        planted = [one.pictures[0] for one in self._sown if one.pictures]
        bar = self._settings.bar if self._request.normal else 1.0
        figures = measured(held_out, looked, self._answers, names, bar)
        figures = figures.with_planted(fitted, crops, held_out, planted, self._names)
        said = {
            **fitted.said,
            "names_p": names.said,
            "verdict": verdict.said,
            "tail": figures.tail_said,
            "rings": rings_said(looked.levels, self._answers.events),
            "drift": _NO_DRIFT if drift is None else drift.said,
            "blind_map": blind_said,
        }
        if self._request.events is None:
            said |= {name: f"{name}: {text}, {NO_ANSWERS}" for name, text in _UNASKED.items()}
        if looked.backwards or looked.guessed:
            said["clock"] = f"clock: {looked.backwards or GUESSED}"
        sampling = looked.sampling
        facts = figures.as_json() | {
            "drift": None if drift is None else drift.as_json(),
            "verdict": verdict.measured,
            "sampling": None if sampling is None else sampling.as_json(),
        }
        fitted = replace(fitted, names=names.scaling, weights=verdict.weights)
        done = replace(fitted, blind=blind, said=said, measured=facts)
        all_of = self._merged(done, names, self._facts(stopped=stopped))
        write_calibration(self._request.site, all_of.done, {**all_of.facts, "kept": all_of.kept})
        return Calibrated(
            self._request,
            all_of.done,
            looked,
            held_out,
            names,
            self._answers,
            None if LOOKED & {*all_of.kept} else drift,
            figures,
            stopped,
            all_of.kept,
        )

    @cached_property
    def _verdict(self) -> Weighed:
        """Weights of what people confirmed; of the footage they need nothing."""
        return weighed(self._answers, self._knows, self._request.watched.belonging)

    def _merged(self, done: SiteCalibration, names: Refit, facts: dict[str, Any]) -> Merged:
        """With what stays of an earlier calibration."""
        verdict = self._verdict
        if self._earlier is None:
            return Merged(done, facts)
        without = Again(
            looked=not self._all_looked,
            names=not len(names.refitted),
            verdict=verdict.measured is None,
            blind=not self._all_sown,
            answers=not self._request.normal,
        )
        return self._earlier.merged(done, facts, without)

    def _facts(self, *, stopped: bool) -> dict[str, Any]:
        """When it was made, and of what."""
        looked = self._looked
        times_us = [one.time_us for one in looked.minutes]
        return {
            "created": _utc(now_us()),
            "stopped": stopped,
            "watched": self._request.watched.as_json(),
            "footage": {
                "videos": [shown_path(video) for video in self._request.normal],
                "hours": round(looked.hours, 4),
                "from": _utc(min(times_us)) if times_us else None,
                "to": _utc(max(times_us)) if times_us else None,
                "crops": len(looked.top_p),
            },
            "confirmed": {
                "names": int(np.sum([one.is_named for one in self._answers.events])),
                "normal": int(np.sum([one.is_normal for one in self._answers.events])),
            },
        }


def _as_watched(watched: Watched) -> str:
    if watched.run is not None:
        return f", as {shown_path(watched.run)} is watched"
    return " (--bar)" if watched.bar is not None else f" ({watched.promise})"


def _utc(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="seconds")
