"""What people confirmed of events: lines of events.jsonl with what each truly was.

    {"id": ..., "candidates": [...], ..., "confirmed": "person"}    it was a person
    {"id": ..., ..., "normal": true}                                it was nothing: normal there
    {"id": ..., ..., "confirmed": "unknown"}                        nobody can tell what it was

Lines without either are left out, so that a copy of events.jsonl can be answered bit by bit.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import UsageError
from calibration.site.confirmed import Confirmed
from novic.json_files import TABLE_BYTES, parse_json
from novic.vocabulary import NounScore, canonical, sanitised


@dataclass(frozen=True, slots=True)
class Answers:
    """All of a file, in the order of its lines."""

    events: tuple[Confirmed, ...]
    open: int
    """Lines that nobody answered, or that tell of the camera itself."""


def read_answers(path: Path) -> Answers:
    """Read what was confirmed.

    Args:
        path: JSON Lines, as `nomaly` writes events and people answer them.

    Raises:
        UsageError: If it cannot be read, a line is no such event, or two answers contradict each
            other.
    """
    known: dict[str, tuple[Confirmed, int]] = {}
    unanswered = 0
    for number, said in _lines(path):
        event = _event(said, f"{path}, line {number}")
        if event is None:
            unanswered += 1
            continue
        before, first = known.setdefault(event.id, (event, number))
        if canonical(before.noun) != canonical(event.noun):
            raise UsageError(
                f"{path}: lines {first} and {number} contradict each other: event {event.id} was "
                f"{_told(before)} and {_told(event)}; keep the one that is true"
            )
    return Answers(tuple(event for event, _ in known.values()), unanswered)


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        if path.stat().st_size > TABLE_BYTES:
            raise UsageError(f"--events {path}: is larger than {TABLE_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no UTF-8"
        raise UsageError(f"--events {path}: cannot be read: {why}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            said = parse_json(line)
        except (json.JSONDecodeError, ValueError) as error:
            raise UsageError(
                f"{path}, line {number}: is no JSON, it may be cut off; remove or repair it"
            ) from error
        if not isinstance(said, dict):
            raise UsageError(f"{path}, line {number}: is no event as events.jsonl holds them")
        yield number, said


def _event(said: Mapping[str, Any], where: str) -> Confirmed | None:
    noun, normal = said.get("confirmed"), said.get("normal")
    if (noun is None and normal is None) or said.get("kind") == "camera":
        return None
    if noun is not None and normal:
        raise UsageError(f"{where}: says what it was and that it was normal; keep one of both")
    if noun is not None and not (isinstance(noun, str) and sanitised(noun)):
        raise UsageError(f'{where}: "confirmed" must be a noun, for example "person"')
    if noun is None and normal is not True:
        raise UsageError(f'{where}: "normal" must be true, or not be there')
    if name := _no_number(said):
        raise UsageError(f"{where}: {name} is no number (NaN or infinite); repair or remove it")
    try:
        candidates = _candidates(said)
        score, time_us = float(said["score"]), int(said["start_us"])
        if not math.isfinite(score) or sum(one.p for one in candidates) > 1.01:
            raise ValueError
        truly = sanitised(noun) if noun else ""
        level, bar = _above_0(said.get("level")), _above_0(said.get("bar"))
        seen = _seen(said.get("belongs") or {})
        return Confirmed(str(said["id"]), time_us, candidates, score, truly, level, bar, seen)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise UsageError(
            f"{where}: needs id, start_us, score and candidates as events.jsonl holds them"
        ) from error


def _seen(belongs: Mapping[str, Any]) -> dict[str, float]:
    """What weights may ask of an event, if it is there and all of it are numbers."""
    seen = {str(name): float(value) for name, value in belongs.get("seen", {}).items()}
    return seen if all(map(math.isfinite, seen.values())) else {}


def _no_number(said: Mapping[str, Any]) -> str:
    """The first key that holds a NaN or an infinite number; empty if none does."""
    numbers = {key: [said.get(key)] for key in ("score", "level", "bar")}
    listed = {key: said.get(key) for key in ("candidates", "raw_p")}
    numbers |= {
        key: [one[1] if isinstance(one, list) and len(one) == 2 else one for one in values]
        for key, values in listed.items()
        if isinstance(values, list)
    }
    return next(
        (
            key
            for key, values in numbers.items()
            if any(isinstance(one, float) and not math.isfinite(one) for one in values)
        ),
        "",
    )


def _above_0(value: Any) -> float | None:  # noqa: ANN401
    """A number that may be missing."""
    if value is None:
        return None
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError
    return number


def _candidates(said: Mapping[str, Any]) -> tuple[NounScore, ...]:
    """With what the decoder itself gave them, whatever a calibration made of that."""
    told = tuple(_candidate(one) for one in said["candidates"])
    if "raw_p" not in said:
        return told
    pairs = zip(told, said["raw_p"], strict=True)
    return tuple(_candidate((one.noun, p)) for one, p in pairs)


def _candidate(one: Any) -> NounScore:  # noqa: ANN401
    noun, p = one
    if not isinstance(noun, str) or not 0 <= float(p) <= 1:
        raise ValueError(f"{one} is no noun with its p")
    return NounScore(noun, float(p))


def _told(event: Confirmed) -> str:
    return "normal" if event.is_normal else f'"{event.noun}"'
