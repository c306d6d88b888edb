"""What the commands do: a verdict is said of an event, listed, forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import UsageError
from app.events.event import Event
from app.events.muting import mute, unmute
from app.events.reading import Run, StoreReader, snapshot
from app.feedback.heeding import Wanted, match
from app.feedback.quiet import quieting
from app.feedback.quiets import Quiets
from app.feedback.seen import Seen
from app.feedback.verdicts import FEEDBACK, Verdict, Verdicts, now_us

LIKENESS = -0.5
"""Log-odds from which on two events show the same thing, unless more of other things would go
silent then than LEAK (benchmarks/README.md)."""
UNSEEN = "could not be compared with the learned view"


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict as it was kept."""

    verdict: Verdict
    muted: tuple[str, ...]
    """Ids of the events that were found before and go silent by it, the one named first."""
    width: float
    """Of the thing, over the width of the view."""


def said_there(out: Path) -> Verdicts:
    """The verdicts that a folder's newest run heeds.

    Args:
        out: Folder of an audit or a watch.

    Raises:
        UsageError: If it holds no run, or the detector that it looks with is not there.
        app.errors.StoreError: If the store cannot be read.
    """
    with snapshot(out) as store:
        return verdicts_of(store)


def say_normal(out: Path, event_id: str, keep_s: float | None, note: str) -> Said:
    """Say that what an event shows is normal there.

    Args:
        out: Folder of the audit or watch that found it; it may be running.
        event_id: The event.
        keep_s: The verdict expires so many seconds after it last matched; None for never.
        note: Why, in the user's words.

    Raises:
        UsageError: If there is no such event, nothing to know its like by, or it was said before.
        app.errors.FeedbackError: If the verdict cannot be kept.
        app.errors.StoreError: If the store cannot be read or written.
    """
    with snapshot(out) as store:
        event = event_of(store, event_id)
        seen = seen_of(store, event)
        if seen.vector is None or seen.signature is None:
            raise UsageError(
                f"{event_id}: {'has no name yet' if seen.vector is None else UNSEEN}, by which its "
                "like could be known again"
            )
        verdicts = verdicts_of(store)
        _check_new(out, event, verdicts)
        verdict = Verdict(
            0, "normal", event.id, event.camera, event.change, event.noun, event.candidates, note,
            now_us(), keep_s, seen.embedder, seen.vector, seen.signature, LIKENESS,
        )  # fmt: skip
        verdict = replace(verdict, number=verdicts.add(verdict))
    return Said(verdict, tuple(settle(out, verdict)), event.box.width / event.frame_size[1])


def settle(out: Path, verdict: Verdict) -> list[str]:
    """Silence what a verdict speaks of now that its likeness was chosen, and nothing else.

    Returns:
        Ids of the events of this folder that it silences, that of which it was said first.

    Raises:
        app.errors.StoreError: If the store cannot be read or written.
    """
    with snapshot(out) as store:
        alike = _alike(store, verdict)
    muted = [verdict.event_id, *(one for one in alike if one != verdict.event_id)]
    freed = unmute(out, verdict.why)
    mute(out, muted, verdict.why)
    if others := [one for one in freed if one not in muted]:
        let_go(out, others, [one for one in said_there(out).all() if one.number != verdict.number])
    return muted


def forget(out: Path, number: int) -> list[str]:
    """Drop a verdict; what it silenced in this folder is told again by report and exports.

    What another verdict or a rule speaks of, too, stays silent by that one, and what `--tell` of
    the newest run does not want stays silent by that.

    Returns:
        Ids of the events that are no longer silent.

    Raises:
        UsageError: If there is no such verdict.
        app.errors.FeedbackError: If it cannot be dropped.
        app.errors.StoreError: If the store cannot be read or written.
    """
    verdicts = said_there(out)
    kept = verdicts.all()
    verdict = next((one for one in kept if one.number == number), None)
    if verdict is None:
        known = sorted(one.number for one in (*kept, *Quiets(verdicts).all()))
        numbers = ", ".join(map(str, known)) or "none"
        raise UsageError(
            f"{verdicts.path}: holds no verdict or rule {number}; there are: {numbers}"
        )
    verdicts.forget(number)
    left = [one for one in kept if one.number != number]
    return let_go(out, unmute(out, verdict.why), left)


def silencing(store: StoreReader, event: Event, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """All verdicts that an event falls under, the one that speaks for all first.

    Args:
        store: That holds the event.
        event: Muted or not.
        verdicts: Among which to look.
    """
    seen, left, found = seen_of(store, event), list(verdicts), list[Verdict]()
    while (one := match(left, seen)) is not None:
        found.append(one)
        left.remove(one)
    return found


def let_go(out: Path, event_ids: Sequence[str], verdicts: Sequence[Verdict]) -> list[str]:
    """Silence again what these verdicts, rules or the run itself keep silent.

    Returns:
        Ids of the events that are told.
    """
    told = []
    for event_id in event_ids:
        why = _other_reason(out, event_id, verdicts)
        if why:
            mute(out, [event_id], why)
        else:
            told.append(event_id)
    return told


def _other_reason(out: Path, event_id: str, verdicts: Sequence[Verdict]) -> str:
    """Why an event that is not muted should be, as a run would say; empty if it should not."""
    with snapshot(out) as store:
        event = store.event(event_id)
        if event is None:
            return ""
        if found := silencing(store, event, verdicts):
            return found[0].why
        rules = Quiets(verdicts_of(store)).all()
        if quiet := quieting(rules, seen_of(store, event)):
            return quiet[0].why
        wanted = Wanted.of(store.required_run().settings)
        return "" if wanted is None else wanted.marked(event).muted


def detector_of(store: StoreReader, run: Run) -> Path:
    """Folder of the detector that a run looked with; it may be gone."""
    asked = run.settings.get("detector")
    return Path(asked) if asked else store.folder / "detector"


def verdicts_of(store: StoreReader) -> Verdicts:
    """The verdicts that a store's newest run heeds.

    Raises:
        UsageError: If it holds no run, or the detector that it looks with is not there.
    """
    detector = detector_of(store, store.required_run())
    if not detector.is_dir():
        raise UsageError(
            f"{detector}: the detector of {store.folder} is not there, beside which {FEEDBACK} "
            "lies; call the command where the run was called"
        )
    return Verdicts(detector)


def _check_new(out: Path, event: Event, verdicts: Verdicts) -> None:
    """Refuse to say of an event what still holds of it.

    Raises:
        UsageError: If so.
    """
    for one in verdicts.all():
        if one.event_id == event.id and one.holds(now_us()):
            raise UsageError(
                f"{event.id}: is normal here already, by verdict {one.number}; to say it in "
                f"another way take that back first: nomaly feedback forget {out} {one.number}"
            )


def event_of(store: StoreReader, event_id: str) -> Event:
    """An event that may be normal somewhere.

    Raises:
        UsageError: If there is none, or it is a fault of the camera.
    """
    event = store.event(event_id)
    if event is None:
        raise UsageError(
            f"{store.folder}: holds no event {event_id}; ids stand in the report (enlarge an "
            "event) and in events.jsonl"
        )
    if event.kind == "camera":
        raise UsageError(
            f"{event_id}: is a fault of the camera ({event.name}), not a thing that can be normal"
        )
    return event


def _alike(store: StoreReader, verdict: Verdict) -> Sequence[str]:
    """Ids of all events in a store that a verdict silences."""
    ids, _ = store.vectors(verdict.embedder)
    events = [event for event_id in ids if (event := store.event(event_id)) is not None]
    return [one.id for one in events if match([verdict], seen_of(store, one)) is not None]


def seen_of(store: StoreReader, event: Event) -> Seen:
    """What the store holds of how an event looks."""
    embedder, vector = store.vector(event.id) or ("", None)
    return Seen(event, embedder, vector, store.signature(event.id))
