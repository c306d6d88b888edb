"""Has a language model write captions: from the order to the finished file, always resumable."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.errors import StoppedError, StoreError, UsageError
from app.progress import Reporter
from app.stop import Stop, announced, stoppable
from scenarios.dictionary import NUMBERS, ObjectDictionary, read_dictionary
from scenarios.llm.costs import Prices
from scenarios.llm.opening import open_batches, open_direct
from scenarios.llm.transport import Transport
from training.captioning.asking import (
    Report,
    refuse_older_batches,
    write_directly,
    write_in_batches,
)
from training.captioning.rules import (
    Answer,
    AnswerLog,
    Estimate,
    NounInProgress,
    batch_answers_file,
    begin,
    estimate,
    messages,
    read_answers,
    replay,
)
from training.texts.captions import (
    NounCaptions,
    caption_samples,
    nouns_without_captions,
    read_captions,
    wanted_captions,
    write_captions,
)


@dataclass(frozen=True, slots=True)
class CaptionOrder:
    """What is to be written, and by whom."""

    dictionary: Path
    out: Path
    model: str
    limit: int | None
    """Only so many nouns, the most frequent."""
    base_url: str | None
    direct: bool
    """Ask at once instead of through the provider's batch service."""
    parallel: int
    """Direct requests under way at once."""
    prices: Prices
    """Asked directly."""

    @property
    def answers(self) -> Path:
        """Where answers are kept."""
        return self.out.with_name(f"{self.out.name}.answers.jsonl")

    @property
    def batches(self) -> Path:
        """Folder for what is under way in batches."""
        return self.out.with_name(f"{self.out.name}.batches")

    @property
    def asked_prices(self) -> Prices:
        """What this way of asking costs."""
        return self.prices if self.direct else self.prices.in_batches()


@dataclass(frozen=True, slots=True)
class Written:
    """What the finished file holds and took."""

    captions: Path
    nouns: int
    singular_captions: int
    plural_captions: int
    nouns_given_up: int
    """Of which fewer captions could be had than wanted."""
    answers: int
    """All that were kept, of earlier runs too."""
    input_tokens: int
    output_tokens: int

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self) | {"captions": str(self.captions)}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is still to be asked."""

    nouns: int
    estimate: Estimate
    example: list[dict[str, str]]
    """Messages of the next request; empty if nothing is to be asked."""


def plan_captions(order: CaptionOrder) -> Plan:
    """What `have_captions_written` would ask for, without asking."""
    _, work = _resume(order)
    due = next((noun for noun in work if noun.next_number), None)
    example = messages(due.entry, due.next_number) if due and due.next_number else []
    return Plan(len(work), estimate(work), example)


def have_captions_written(order: CaptionOrder, reporter: Reporter) -> Written:
    """Ask for all captions that lack and write the file.

    Raises:
        UsageError: If a file of that name is there already, the key or a library is missing.
        StoppedError: On Ctrl-C; all answers are kept.
        StoreError: If the file cannot be written; the same.
        CaptionError: If the server cannot be used; the same.
    """
    if order.out.exists() and not (order.answers.exists() or order.batches.exists()):
        raise UsageError(f"--out {order.out}: exists already, made elsewhere; name another file")
    dictionary, work = _resume(order)
    wanted = sum(wanted_captions(noun.entry, number) for noun in work for number in NUMBERS)
    held = wanted - sum(noun.lacks(number) for noun in work for number in NUMBERS)
    try:
        with stoppable() as stop, reporter.task("writing captions", wanted) as meter:

            def report(new: int) -> None:
                nonlocal held
                held += new
                meter.to(held, f"{held:,} captions")

            report(0)
            _ask(order, _open(order, stop, reporter), work, report)
    except KeyboardInterrupt as stopped:
        raise StoppedError(
            f"stopped; {len(_kept(order))} answers are kept, the same command goes on from here"
        ) from stopped
    captions = {noun.entry.target_noun: noun.captions for noun in work}
    try:
        write_captions(order.out, dictionary, captions)
    except OSError as error:
        raise StoreError(
            f"{order.out}: cannot be written: {error.strerror}; the answers are kept, the same "
            "command goes on from here"
        ) from error
    answers = _kept(order)
    return Written(
        order.out,
        len(work),
        sum(len(noun.singular) for noun in captions.values()),
        sum(len(noun.plural) for noun in captions.values()),
        sum(noun.given_up for noun in work),
        len(answers),
        sum(answer.input_tokens for answer in answers),
        sum(answer.output_tokens for answer in answers),
    )


def count_captions(file: Path, dictionary: Path | None) -> dict[str, int]:
    """What a caption file holds, and with a dictionary also what it lacks for that."""
    captions = read_captions(file)
    counts = {
        "nouns": len(captions),
        "singular_captions": sum(len(noun.singular) for noun in captions.values()),
        "plural_captions": sum(len(noun.plural) for noun in captions.values()),
    }
    if dictionary is None:
        return counts
    return counts | _count_against(read_dictionary(dictionary), captions)


def _count_against(
    dictionary: ObjectDictionary, captions: dict[str, NounCaptions]
) -> dict[str, int]:
    known = [entry for entry in dictionary.entries if entry.target_noun in captions]
    short = [
        entry
        for entry in known
        if any(
            len(captions[entry.target_noun].of(number)) < wanted_captions(entry, number)
            for number in NUMBERS
        )
    ]
    return {
        "nouns_not_in_dictionary": len(captions) - len(known),
        "nouns_without_captions": len(nouns_without_captions(dictionary, captions)),
        "nouns_with_fewer_than_wanted": len(short),
        "training_samples": sum(one.count for one in caption_samples(dictionary, captions)),
    }


def _resume(order: CaptionOrder) -> tuple[ObjectDictionary, list[NounInProgress]]:
    """The nouns, with the captions of all answers kept so far."""
    dictionary = read_dictionary(order.dictionary)
    work = begin(dictionary, order.limit)
    replay(work, _kept(order))
    return dictionary, work


def _kept(order: CaptionOrder) -> list[Answer]:
    return [*read_answers(order.answers), *read_answers(batch_answers_file(order.batches))]


def _open(order: CaptionOrder, stop: Stop, reporter: Reporter) -> Transport:
    if order.direct:
        return open_direct(
            order.model,
            order.base_url,
            parallel=order.parallel,
            prices=order.asked_prices,
            most_faults=None,
            check=announced(stop.check, reporter.say),
        )
    refuse_older_batches(order.batches)
    return open_batches(
        order.batches,
        order.model,
        order.base_url,
        order.asked_prices,
        instead="write captions with --direct, which does without the batch service",
        check=stop.check,
    )


def _ask(
    order: CaptionOrder, transport: Transport, work: list[NounInProgress], report: Report
) -> None:
    answers, log = read_answers(order.answers), AnswerLog(order.answers)
    if order.direct:
        write_directly(work, transport, order.model, log, report)
    else:
        write_in_batches(work, transport, order.model, log, answers, order.batches, report)
