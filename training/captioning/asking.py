"""Asks a language model for captions: noun after noun at once, or in rounds of batches."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from novic.whole_files import write_whole
from scenarios.dictionary import NUMBERS, Number
from scenarios.llm.conversations import Conversation, converse
from scenarios.llm.transport import KEPT, ChatError, ChatRequest, Reply, Transport
from training.captioning.rules import (
    CAPTIONS_PER_CALL,
    Answer,
    AnswerLog,
    NounInProgress,
    request,
)
from training.texts.captions import CaptionError

ROUND = "captions_round.json"
"""File with the names of the requests of the round under way."""

type Report = Callable[[int], None]
type _Asked = tuple[NounInProgress, Number]
type _Round = Mapping[str, _Asked]
"""What is asked for, by the names of the requests."""


def write_directly(
    nouns: Sequence[NounInProgress],
    transport: Transport,
    model: str,
    log: AnswerLog,
    report: Report = lambda _: None,
) -> None:
    """Ask until every noun has its captions or is given up; of a noun, one thing after the other.

    Args:
        nouns: Brought to where they were; filled in place.
        transport: Where to ask.
        model: Whom.
        log: Gets every answer before it is used.
        report: Called with the number of new captions of every answer.

    Raises:
        CaptionError: If the server cannot be reached, refuses, or does not speak the protocol; what
            was answered before is in the log.
        KeyboardInterrupt: On Ctrl-C, the same.
    """

    def captions_of(noun: NounInProgress) -> Conversation:
        calls = 0
        while number := noun.next_number:
            calls += 1
            name = f"{noun.entry.target_noun}/{calls}"
            reply = yield ChatRequest(name, request(model, noun.entry, number))
            if reply.fault:
                raise CaptionError(f"{reply.error}; {KEPT}")
            log.append(_answer(noun, number, model, reply))
            report(noun.add(number, reply.text))

    with _as_caption_errors():
        converse(transport, map(captions_of, nouns))


def write_in_batches(
    nouns: Sequence[NounInProgress],
    transport: Transport,
    model: str,
    log: AnswerLog,
    answers: Sequence[Answer],
    folder: Path,
    report: Report = lambda _: None,
) -> None:
    """Ask in rounds until every noun has its captions or is given up.

    A round asks for all that lacks, and the next one for what its answers leave open. It is fixed
    in the folder before any of it is sent: after a kill the next call asks the very same, so what
    is under way is waited for, and what is in the log is not asked.

    Args:
        nouns: Brought to where they were; filled in place.
        transport: Where to ask; in the main thread, if it is a batch service.
        model: Whom.
        log: Gets every answer before it is used.
        answers: All of earlier runs.
        folder: For the round under way; made if missing.
        report: Called with the number of new captions of every answer.

    Raises:
        CaptionError: If another process is at work in the folder, the service cannot be used, or
            answers nothing of a round; what was answered before is in the log.
        KeyboardInterrupt: On Ctrl-C, the same.
    """
    taken = {answer.request_id for answer in answers}

    def keep(noun: NounInProgress, number: Number, reply: Reply) -> None:
        if not reply.fault:
            # Others are no answers: a call in vain in this run, and asked again by the next one.
            log.append(_answer(noun, number, model, reply, reply.request_id))
            taken.add(reply.request_id)
        report(noun.add(number, reply.text))

    with _as_caption_errors():
        kept_round = folder / ROUND
        due = _round_under_way(kept_round, nouns, taken) or dict(_due(nouns, taken))
        while due:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(kept_round, json.dumps([*due]).encode())
            _ask_round(due, transport, model, keep)
            kept_round.unlink()
            due = dict(_due(nouns, taken))


def _ask_round(
    due: _Round,
    transport: Transport,
    model: str,
    keep: Callable[[NounInProgress, Number, Reply], None],
) -> None:
    """Have requests answered.

    Raises:
        CaptionError: If none was, by the fault of the service.
    """
    faults: list[str] = []

    def take(reply: Reply) -> None:
        keep(*due[reply.request_id], reply)
        if reply.fault:
            faults.append(reply.error)

    requests = [
        ChatRequest(name, request(model, noun.entry, number))
        for name, (noun, number) in due.items()
    ]
    transport.ask(requests, take)
    if len(faults) == len(due):
        raise CaptionError(f"no request was answered: {faults[0]}; {KEPT}")


def refuse_older_batches(folder: Path) -> None:
    """See that no batch is under way that an earlier version sent: its answers would be lost.

    Raises:
        CaptionError: If there is one.
    """
    state = folder / "captions_state.json"
    try:
        batches = json.loads(state.read_bytes())["batches"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if any(batch.get("remote") for batch in batches):
        raise CaptionError(
            f"{folder}: holds batches that an earlier version of Nomaly has sent; finish them with "
            f"that version, or delete {state} to give them up"
        )


def _due(nouns: Sequence[NounInProgress], taken: set[str]) -> Iterator[tuple[str, _Asked]]:
    """Names of the requests that are to be asked, and what for; of a noun and number, counted."""
    for noun in nouns:
        for number in NUMBERS:
            left, count = math.ceil(noun.lacks(number) / CAPTIONS_PER_CALL), 0
            while left:
                name = f"{noun.entry.target_noun}/{number}/{count}"
                count += 1
                if name not in taken:
                    left -= 1
                    yield name, (noun, number)


def _round_under_way(path: Path, nouns: Sequence[NounInProgress], taken: set[str]) -> _Round:
    """What is left of a round that was stopped, as far as it is about these nouns.

    Raises:
        CaptionError: If its file is damaged.
    """
    known = {noun.entry.target_noun: noun for noun in nouns}
    due: dict[str, _Asked] = {}
    try:
        for name in json.loads(path.read_bytes()) if path.exists() else []:
            target, number, _ = name.rsplit("/", 2)
            if name not in taken and target in known:
                due[name] = (known[target], NUMBERS[NUMBERS.index(number)])
    except (ValueError, TypeError, AttributeError) as error:
        raise CaptionError(f"{path}: is damaged ({error}); remove it to ask what lacks") from error
    return due


def _answer(
    noun: NounInProgress, number: Number, model: str, reply: Reply, request_id: str = ""
) -> Answer:
    """What is kept of a reply; its text is empty if there is none."""
    target = noun.entry.target_noun
    return Answer(target, number, reply.text, model, reply.tokens_in, reply.tokens_out, request_id)


@contextmanager
def _as_caption_errors() -> Iterator[None]:
    try:
        yield
    except ChatError as error:
        raise CaptionError(str(error)) from error
    except OSError as error:
        raise CaptionError(f"{error.filename}: cannot be written: {error.strerror}") from error
