"""From where on a verdict matches, and what else it silences, by things pasted into the view."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.errors import UsageError
from app.events.media import media_path
from app.events.reading import snapshot
from app.feedback.saying import LIKENESS, Said, said_there
from app.feedback.verdicts import Leak, Verdict
from app.simulator.cutouts import Sticker
from app.watching.pasting import Pasted, again_in, cut_out, others_in
from detectors import changes
from detectors.base import DetectorError
from detectors.files import read_facts, read_tensors
from detectors.frames import checked_size
from detectors.learned import LearnedView
from novic.device import resolve_device
from novic.images import ImageError, read_image
from novic.model import ModelOptions, load_model

LEAKS = 0.01
"""Share of the other things by which the likeness is chosen that may go silent."""
OWN_SHARE = 0.35
"""Of the log-odds that the thing itself has elsewhere in the view: from there on it is the same."""
LEAST = 0.3
"""Log-odds below which nothing is the same, however badly the thing itself is seen."""


def measure(out: Path, said: Said, model: Path | None) -> Verdict:
    """Measure from where on a verdict that was just said matches, and what else it silences.

    Both are kept with it.

    Args:
        out: Folder of the run.
        said: The verdict.
        model: Decoder that named the event; None for what Nomaly ships.

    Raises:
        NomalyError: If it cannot be measured: the model is another one, or a package is missing.
    """
    verdicts, verdict = said_there(out), said.verdict
    view = view_of(verdicts.path.parent)
    names = load_model(model, resolve_device("auto"), ModelOptions(), many_images=True)
    if names.bundle.embedder != verdict.embedder:
        raise UsageError("the event was named by another model; name that with --model")
    cut = _cut_of(out, verdict, view)
    own = again_in(view, cut, names) if cut is not None else []
    verdict = measured(verdict, others_in(view, said.width, names), own)
    if verdict.leak is not None:
        verdicts.measured(verdict.number, verdict.likeness, verdict.leak)
    return verdict


def measured(verdict: Verdict, others: Sequence[Pasted], own: Sequence[Pasted] = ()) -> Verdict:
    """The verdict with a likeness that lets few others go silent, and what its leak then is.

    The likeness is chosen on half of the other things and on the thing itself; the leak is that of
    the other half. If one of them is seen to be the very thing, it is in neither, and told by
    itself.

    Args:
        verdict: As it was said.
        others: Other things in the view.
        own: The thing itself elsewhere in the view; none where it could not be cut out.
    """
    alike: dict[str, list[float]] = {}
    for other in others:
        alike.setdefault(other.noun, []).append(other.likeness(verdict, LEAST))
    line = _own_line([one.likeness(verdict) for one in own])
    same = max(alike, key=lambda noun: float(np.median(alike[noun])), default="")
    if not same or np.median(alike[same]) < line:
        same = ""
    nouns = sorted({*alike} - {same})
    chosen = [value for noun in nouns[::2] for value in alike[noun]]
    likeness = max(line, float(np.quantile(chosen, 1 - LEAKS)) if chosen else line)
    rest = [(noun, value) for noun in nouns[1::2] for value in alike[noun]]
    silenced = tuple(noun for noun, value in rest if value >= likeness)
    return replace(verdict, likeness=likeness, leak=Leak(len(rest), silenced, same))


def _own_line(own: Sequence[float]) -> float:
    """From which log-odds on something is the same, by how like itself the thing is elsewhere."""
    return max(LEAST, OWN_SHARE * float(np.mean(own))) if own else LIKENESS


def _cut_of(out: Path, verdict: Verdict, view: LearnedView) -> Sticker | None:
    """The thing of a verdict's event, from its picture; None if that is gone or shows nothing."""
    with snapshot(out) as store:
        event = store.event(verdict.event_id)
    if event is None:
        return None
    try:
        image = read_image(str(media_path(out, "snapshots", event.id, event.snapshot_s)))
    except ImageError:
        return None
    part = event.box.grown(changes.MARGIN, event.frame_size)
    scale = image.shape[1] / event.frame_size[1]
    learned, seen = view.part(part), part.scaled(scale, scale)
    inside = event.box.scaled(scale, scale).within(seen)
    place = changes.Place.of(learned, seen.cut(image), inside)
    if place is None:
        return None
    return cut_out(place, learned.shape[1], missing=event.change == "missing")


def view_of(detector: Path) -> LearnedView:
    """The picture that a detector in a folder keeps of its view.

    Raises:
        DetectorError: If there is no detector, or it keeps none.
    """
    facts = read_facts(detector)
    try:
        return LearnedView.from_tensors(
            read_tensors(detector, facts), checked_size(facts["frame_size"])
        )
    except (KeyError, ValueError) as error:
        raise DetectorError(f"{detector}: keeps no picture of its view; fit it again") from error
