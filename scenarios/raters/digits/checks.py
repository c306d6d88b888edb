"""Whether a model's digits are answers or only look like answers.

Small and overcharged models keep to a schema and fill it with nonsense: one digit throughout,
counting, repeating (scenarios_spec §3.3, §4). Hidden lines, whose answers are known, tell.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from scenarios.llm.transport import Reply
from scenarios.raters.digits.prompts import keys
from scenarios.ratings.records import Answer, Backend, Line, Planned, Rating, RawScores
from scenarios.ratings.scale import auc

ANCHOR_GAP = 2
"""Digits that a hidden example seen must lie above one never seen."""
MOST_EQUAL = 0.8
"""Share of lines with the same digit, other than 0, from which on it is a constant."""
LONGEST_PERIOD = 10
FEWEST_LINES = 10
"""In shorter requests patterns arise by chance; the hidden examples must do there."""
COPIED = 0.4
"""By how much more lines may be like the line before than chance has it, as a share of all."""
DUPLICATE_GAP = 4
"""Digits that a noun asked again may not move."""

RUN_AUC = 0.90
RUN_DUPLICATES = 1.2
RUN_UNRATED = 0.02
RUN_DIGITS = 5
RUN_HIGH = (0.005, 0.40)
HIGH = 6
"""From this digit on something is seen at least weekly."""
FEWEST_NOUNS = 200
"""With fewer rated nouns their digits may well be few or all low or high."""


class _UselessError(ValueError):
    """A reply cannot be used; the text says why."""


def read_reply(
    planned: Planned, reply: Reply, known: Mapping[str, float], backend: Backend
) -> Answer:
    """What came of a request.

    Args:
        planned: As it was asked.
        reply: As it came.
        known: What was said before about nouns that are asked again; one that is missing here is
            not judged.
        backend: What brought it.

    Returns:
        The answer to be kept: ok, or rejected or failed with a reason. A rejected one in which
        every line has a digit keeps those of the hidden lines.
    """
    status, reason, ratings = "failed", reply.error, ()
    if not reply.error:
        try:
            digits = _digits(reply, planned.lines)
        except _UselessError as fault:
            status, reason = "rejected", str(fault)
        else:
            reason = _nonsense(planned.lines, digits, known)
            status = "rejected" if reason else "ok"
            ratings = tuple(
                Rating(line.target_noun, line.asked_as, digit, line.role, planned.opinion, place)
                for place, (line, digit) in enumerate(zip(planned.lines, digits, strict=True))
                if not reason or line.role != "noun"
            )
    return Answer(
        reply.request_id,
        status,
        ratings,
        reason,
        backend,
        reply.tokens_in,
        reply.tokens_out,
        reply.cost_usd,
        time.time_ns() // 1000,
    )


def check_run(scores: RawScores, unrated_share: float) -> list[str]:
    """The gate that a run must pass before anything is written (scenarios_spec §3.3).

    Args:
        scores: Of the run, on the scale of digits.
        unrated_share: Share of the nouns that have no usable answer, 0 to 1.

    Returns:
        What is wrong, a sentence each; nothing if all is well.
    """
    faults = []
    if not scores.seen or not scores.never:
        faults.append("none of the owner's examples was judged, so the answers cannot be trusted")
    elif (area := auc(list(scores.seen.values()), list(scores.never.values()))) < RUN_AUC:
        faults.append(
            f"the model puts what is seen at the site above what is never seen there in only "
            f"{area:.0%} of the pairs of the owner's examples, and {RUN_AUC:.0%} are needed; "
            "ask a larger model or describe the site more clearly"
        )
    moved = [abs(first - second) for first, second in scores.duplicates]
    if moved and (mean := sum(moved) / len(moved)) > RUN_DUPLICATES:
        faults.append(
            f"the model moves by {mean:.1f} digits when it is asked the same noun twice, and "
            f"{RUN_DUPLICATES} is the most; ask a larger model"
        )
    if unrated_share > RUN_UNRATED:
        faults.append(
            f"{unrated_share:.1%} of the nouns have no usable answer, and {RUN_UNRATED:.0%} is the "
            "most; ask again, or ask a larger model"
        )
    return faults + _flat(list(scores.nouns.values()))


def _digits(reply: Reply, lines: Sequence[Line]) -> list[int]:
    """The digit of each line.

    Raises:
        _UselessError: If there is not one, from 0 to 9, for every line and no other.
    """
    said = _object(reply)
    names = keys(lines)
    digits = []
    for name, line in zip(names, lines, strict=True):
        if name not in said:
            raise _UselessError(f"{name} ({line.asked_as}) is missing in the answer")
        value = said[name]
        # Endpoints without schemas have models that write "7" or 7.0.
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or value not in range(10):
            raise _UselessError(
                f"{name} ({line.asked_as}) got {str(value)[:40]!r}, not a digit from 0 to 9"
            )
        digits.append(int(value))
    if extra := [name for name in said if name not in names]:
        raise _UselessError(f"{extra[0][:40]!r} was answered, but not asked")
    return digits


def _object(reply: Reply) -> dict[str, Any]:
    """The JSON object in the text; some models wrap it in a Markdown block."""
    start, end = reply.text.find("{"), reply.text.rfind("}")
    try:
        said = json.loads(reply.text[start : end + 1] if start >= 0 else reply.text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        cut = "the answer was cut off before its end" if reply.cut else ""
        raise _UselessError(cut or "the answer is no JSON object, as if the model knew no schema")
    return said


def _nonsense(lines: Sequence[Line], digits: Sequence[int], known: Mapping[str, float]) -> str:
    """What shows that the digits are no answers, as a sentence; empty if nothing does."""
    return _anchors(lines, digits) or _pattern(digits) or _moved(lines, digits, known)


def _anchors(lines: Sequence[Line], digits: Sequence[int]) -> str:
    of_role = {line.role: (line, digit) for line, digit in zip(lines, digits, strict=True)}
    if "positive" not in of_role or "negative" not in of_role:
        return ""
    (seen, high), (never, low) = of_role["positive"], of_role["negative"]
    if high - low >= ANCHOR_GAP:
        return ""
    return (
        f"{seen.asked_as}, seen at the site, got {high}, which is not {ANCHOR_GAP} above the {low} "
        f"of {never.asked_as}, never seen there"
    )


def _pattern(digits: Sequence[int]) -> str:
    count = len(digits)
    if count < FEWEST_LINES:
        return ""
    digit, times = Counter(digits).most_common(1)[0]
    # A dictionary is mostly of things that are never seen, so honest answers are mostly zeros. A
    # model that says nothing else misses the hidden example.
    if digit and times >= MOST_EQUAL * count:
        return f"{times} of {count} lines got the same digit, {digit}"
    for period in range(2, min(LONGEST_PERIOD, count // 2) + 1):
        if all(digits[at] == digits[at - period] for at in range(period, count)):
            return f"the digits repeat every {period} lines"
    steps = [after - before for before, after in pairwise(digits)]
    if max(steps.count(1), steps.count(-1)) >= MOST_EQUAL * len(steps):
        return "the digits count the lines"
    chance = sum((times / count) ** 2 for times in Counter(digits).values())
    if steps.count(0) / len(steps) - chance >= COPIED:
        return "most digits copy the line before"
    return ""


def _moved(lines: Sequence[Line], digits: Sequence[int], known: Mapping[str, float]) -> str:
    for line, digit in zip(lines, digits, strict=True):
        before = known.get(line.target_noun)
        if line.role != "duplicate" or before is None or abs(digit - before) < DUPLICATE_GAP:
            continue
        return f"{line.asked_as} got {digit}, but {before:g} when it was asked before"
    return ""


def _flat(digits: Sequence[float]) -> list[str]:
    """Faults of the distribution of all digits."""
    if len(digits) < FEWEST_NOUNS:
        return []
    faults = []
    if (used := len({round(digit) for digit in digits})) < RUN_DIGITS:
        faults.append(
            f"the model used only {used} different digits, and {RUN_DIGITS} are needed to tell "
            "nouns apart; ask a larger model"
        )
    high = sum(digit >= HIGH for digit in digits) / len(digits)
    if not RUN_HIGH[0] <= high <= RUN_HIGH[1]:
        faults.append(
            f"{high:.1%} of the nouns are said to be seen weekly or more often, and between "
            f"{RUN_HIGH[0]:.1%} and {RUN_HIGH[1]:.0%} is to be expected; ask a larger model or "
            "describe the site more clearly"
        )
    return faults
