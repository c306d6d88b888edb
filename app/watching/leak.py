"""From where on a verdict matches, and what else it silences, by things pasted into the view."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.errors import UsageError
from app.feedback.saying import LIKENESS, Said, said_there
from app.feedback.verdicts import Leak, Verdict
from app.watching.pasting import Pasted, others_in
from detectors.base import DetectorError
from detectors.files import read_facts, read_tensors
from detectors.frames import checked_size
from detectors.learned import LearnedView
from novic.device import resolve_device
from novic.model import ModelOptions, load_model

LEAKS = 0.01
"""Share of the other things by which the likeness is chosen that may go silent."""


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
    verdict = measured(verdict, others_in(view, said.width, names))
    if verdict.leak is not None:
        verdicts.measured(verdict.number, verdict.likeness, verdict.leak)
    return verdict


def measured(verdict: Verdict, others: Sequence[Pasted]) -> Verdict:
    """The verdict with a likeness that lets few others go silent, and what its leak then is.

    The likeness is chosen on half of the other things; the leak is that of the other half. If one
    of them is seen to be the very thing, it is in neither, and told by itself.

    Args:
        verdict: As it was said.
        others: Other things in the view.
    """
    likeness, leak = lined(
        [(other.noun, other.likeness(verdict, LIKENESS)) for other in others], LIKENESS
    )
    return replace(verdict, likeness=likeness, leak=leak)


def lined(alike: Sequence[tuple[str, float]], least: float) -> tuple[float, Leak]:
    """From where on something matches, and what else it silences then.

    Args:
        alike: Other things (noun, log-odds that it is the same).
        least: What it takes at least.

    Returns:
        The likeness, and the leak by those that it was not chosen with.
    """
    by_noun: dict[str, list[float]] = {}
    for noun, value in alike:
        by_noun.setdefault(noun, []).append(value)
    same = max(by_noun, key=lambda noun: float(np.median(by_noun[noun])), default="")
    if not same or np.median(by_noun[same]) < least:
        same = ""
    nouns = sorted({*by_noun} - {same})
    chosen = [value for noun in nouns[::2] for value in by_noun[noun]]
    likeness = max(least, float(np.quantile(chosen, 1 - LEAKS)) if chosen else least)
    rest = [(noun, value) for noun in nouns[1::2] for value in by_noun[noun]]
    silenced = tuple(noun for noun, value in rest if value >= likeness)
    return likeness, Leak(len(rest), silenced, same)


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
