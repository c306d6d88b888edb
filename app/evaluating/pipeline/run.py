"""`nomaly evaluate pipeline`: audits, names what they found in several ways, and measures all."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.evaluating.pipeline.auditing import Audited, Looking, Measured, audited, check
from app.evaluating.pipeline.baselines import BASELINES, Namers
from app.evaluating.pipeline.meaning import Embed, Meanings
from app.evaluating.pipeline.namers import Namer
from app.evaluating.pipeline.outcome import PipelineResult, Row, Told, ToldThing, row_of
from app.evaluating.pipeline.page import write_page
from app.evaluating.pipeline.place import RECORDINGS, RESULTS, check_place, claim
from app.evaluating.pipeline.rivals import Rival, read_rival
from app.evaluating.pipeline.simulated import LEARN_S, SimulatedDay, make
from app.evaluating.truth import read_truth
from app.events.outputs import write_text
from app.events.schema import STORE, faults
from app.progress import Meter, Reporter
from app.sources.folder import find_videos
from app.watching.checks import check_pace
from calibration.events import TrueThing
from detectors.configs import Mog2Config
from novic.digest import file_sha256
from novic.guides import GuideError

OURS = "Nomaly"
VIDEO, TRUTH = "video.mp4", "truth.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRequest:
    """What is measured, and beside what."""

    out: Path
    looking: Looking
    days: tuple[SimulatedDay, ...] = ()
    """Recordings that are made; or else:"""
    data: Path | None = None
    """A recording, or the folder of an audit of one."""
    truth: Path | None = None
    """What was in it."""
    nouns: tuple[str, ...] = ()
    """Candidates: what is measured with a list, too."""
    true_nouns: bool = False
    """Whether the nouns of all things are the candidates."""
    rivals: tuple[tuple[str, Path], ...] = ()
    """Names and files of what others told."""
    baselines: tuple[str, ...] = tuple(BASELINES)
    overwrite: bool = False

    def asked(self) -> dict[str, Any]:
        """What decides recordings and audits, for JSON; all else can be asked anew of the same."""
        looking = self.looking
        return {
            "simulated": {day.name: day.simulation.key for day in self.days},
            "data": None if self.data is None else str(self.data.resolve()),
            "truth": None if self.truth is None else file_sha256(self.truth),
            "normal_first_s": looking.normal_first_s,
            "detector": looking.detector and str(looking.detector.resolve()),
            "detector_config": None if looking.detector else looking.config.model_dump(),
            "fps": looking.fps,
            "model": looking.model and str(looking.model.resolve()),
        }


@dataclass(slots=True)
class _Seen:
    """What audits told of all recordings."""

    ours: dict[str, Audited] = field(default_factory=dict)
    mog2: dict[str, Audited] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def evaluate_pipeline(
    request: PipelineRequest, reporter: Reporter, embed: Embed | None = None
) -> PipelineResult:
    """Measure, and write pipeline.json and report.html.

    Args:
        request: What.
        reporter: Told how far it is.
        embed: Text model for the meaning of names; all-MiniLM-L6-v2 by default.

    Raises:
        KeyboardInterrupt: If it was stopped; recordings and audits are kept as far as they are.
        UsageError: If the request makes no sense, a file is none, or the folder is not ours.
        novic.errors.NomalyError: As audits and embedders do.
    """
    _check(request)
    # A slip is told before the folder is taken, which --overwrite empties.
    given = [] if request.days else [_given(request)]
    recordings = [one.name for one in (*request.days, *given)]
    rivals = [read_rival(name, path, recordings) for name, path in request.rivals]
    asked = request.asked()
    check_place(request.out, asked, overwrite=request.overwrite)
    namers = Namers(request.looking.model, request.looking.device, reporter, embed).ready()
    claim(request.out, asked, overwrite=request.overwrite)
    measured = given or [_made(day, request, reporter) for day in request.days]
    seen = _audits(measured, request, reporter)
    things = {one.name: _counted(one.things, seen.ours[one.name]) for one in measured}
    listed = request.nouns
    if request.true_nouns:
        listed = tuple(sorted({thing.noun for own in things.values() for thing in own}))
    told = [
        *_named(seen, namers, request, (), reporter),
        *(_named(seen, namers, request, listed, reporter) if listed else ()),
        *(_of_rival(rival, seen) for rival in rivals),
    ]
    rows = _measured(told, things, namers.meanings, reporter)
    done = PipelineResult(tuple(rows), things, listed, seen.left_out)
    text = json.dumps(done.as_json(), indent=1, ensure_ascii=False)
    write_text(request.out / RESULTS, text + "\n")
    write_page(done, request.out)
    return done


def folder_of(recording: str, out: Path) -> Path:
    """Where what belongs to a recording lies, below the folder for the results."""
    safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in recording)
    if safe != recording:
        safe += "-" + hashlib.sha256(recording.encode("utf-8", "replace")).hexdigest()[:6]
    return out / RECORDINGS / safe


def _check(request: PipelineRequest) -> None:
    """Refuse what makes no sense before anything is written.

    Raises:
        UsageError: If so.
    """
    if bool(request.days) == (request.data is not None):
        raise UsageError("say what to measure: a recording or its audit, or --simulated SPLIT")
    if request.data is not None and request.truth is None:
        raise UsageError(f"{request.data}: say what was in it with --truth FILE")
    check_pace(request.looking.fps)
    for name in request.baselines:
        if name not in BASELINES:
            raise UsageError(f"--baseline {name}: there are {', '.join(BASELINES)}")
    labels = [name for name, _ in request.rivals]
    twice = next((name for name in labels if labels.count(name) > 1 or name == OURS), None)
    if twice is not None:
        raise UsageError(f"--rival {twice}: each needs a name of its own")


def _made(day: SimulatedDay, request: PipelineRequest, reporter: Reporter) -> Measured:
    """A simulated recording, made unless it is there."""
    folder = folder_of(day.name, request.out)
    video, truth = folder / VIDEO, folder / TRUTH
    if not (video.is_file() and truth.is_file()):
        with reporter.task(f"Filming {day.name}") as meter, faults(folder):
            # Audits belong to the very file that they looked at.
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            make(day, video, truth, meter.count)
    return Measured(name=day.name, things=read_truth(truth), video=video)


def _given(request: PipelineRequest) -> Measured:
    """The recording or the audit that was named, which can be audited or read."""
    data, truth = request.data, request.truth
    if data is None or truth is None:
        raise UsageError("say what to measure: a recording or its audit, with --truth FILE")
    if (data / STORE).is_file():
        given = Measured(name=data.resolve().name, things=read_truth(truth), done=data)
    else:
        videos = find_videos([data], lambda _: None)
        if len(videos) != 1:
            raise UsageError(f"{data}: holds {len(videos)} videos; the truth is that of one")
        given = Measured(name=videos[0].stem, things=read_truth(truth), video=videos[0])
    check(given, request.looking)
    return given


def _audits(measured: Sequence[Measured], request: PipelineRequest, reporter: Reporter) -> _Seen:
    """Audit all recordings, and again with MOG2 where that is asked for and can learn."""
    seen, looking = _Seen(), request.looking
    if request.days:
        looking = replace(looking, normal_first_s=LEARN_S)
    for one in measured:
        folder = folder_of(one.name, request.out)
        seen.ours[one.name] = audited(one, looking, folder, reporter)
        if "mog2" not in request.baselines:
            continue
        if one.video is None or looking.normal_first_s is None:
            seen.left_out["MOG2 + argmax"] = (
                "it learns from the recording: name the video and --normal-first SECONDS"
            )
            continue
        seen.mog2[one.name] = audited(one, looking, folder, reporter, Mog2Config())
    return seen


def _counted(things: Iterable[TrueThing], told: Audited) -> list[TrueThing]:
    """Things that were there after what the detector learned from."""
    return [thing for thing in things if thing.end_s > told.from_s]


def _named(
    seen: _Seen,
    namers: Namers,
    request: PipelineRequest,
    listed: Sequence[str],
    reporter: Reporter,
) -> list[Told]:
    """Our own row and those of the baselines, all with a list of candidates or all without."""
    by = next(iter(seen.ours.values())).by
    told = [] if listed else [_told(OURS, by, seen.ours, listed)]
    # Where our own boxes are MOG2's, the two rows with the classifier are one.
    known = [name for name in BASELINES if name in request.baselines]
    known = [name for name in known if name != "mog2" or by != "mog2"]
    wanted = [*([OURS] if listed else []), *known]
    with reporter.task("Naming", len(wanted)) as meter:
        for number, name in enumerate(wanted, start=1):
            boxes, found = ("mog2", seen.mog2) if name == "mog2" else (by, seen.ours)
            if found:
                label = OURS if name == OURS else BASELINES[name].label(by)
                row = _told(label, boxes, found, listed)
                try:
                    told.append(_renamed(row, namers, name, listed))
                except GuideError as error:
                    seen.left_out[f"{label}, with list"] = str(error)
            meter.count(number, len(wanted))
    return told


def _told(label: str, boxes: str, found: dict[str, Audited], listed: Sequence[str]) -> Told:
    return Told(label, boxes, bool(listed), {name: one.told for name, one in found.items()})


def _renamed(told: Told, namers: Namers, name: str, listed: Sequence[str]) -> Told:
    """The same boxes, named by another namer."""
    namer = namers.of(name, tuple(listed))
    things = {
        recording: [replace(one, box=replace(one.box, noun=_name(namer, one))) for one in own]
        for recording, own in told.things.items()
    }
    return replace(told, things=things)


def _name(namer: Namer, one: ToldThing) -> str:
    return "" if one.pictures is None else namer.name(one.pictures)


def _of_rival(rival: Rival, seen: _Seen) -> Told:
    """What a rival told of what we looked at."""
    things = {
        name: [ToldThing(box) for box in boxes if box.at_s >= seen.ours[name].from_s]
        for name, boxes in rival.told.items()
    }
    return Told(rival.name, "its own", rival.with_list, things)


def _measured(
    told: Sequence[Told],
    things: dict[str, list[TrueThing]],
    meanings: Meanings,
    reporter: Reporter,
) -> list[Row]:
    def step(meter: Meter, number: int, one: Told) -> Row:
        row = row_of(one, things, meanings)
        meter.count(number, len(told))
        return row

    with reporter.task("Measuring", len(told)) as meter:
        names = {one.box.noun for way in told for own in way.things.values() for one in own}
        right = {word for own in things.values() for thing in own for word in meanings.words(thing)}
        meanings.learn(names | right)
        return [step(meter, number, one) for number, one in enumerate(told, start=1)]
