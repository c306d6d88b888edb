"""What a language model is asked for captions, and what of its answers is kept (novic_spec §2.2).

Everything here is a function of the dictionary and the answers so far: answers are appended to a
file as they come, and reading that file again restores the work to where it was. Who asks is in
`asking`.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from unidecode import unidecode

from novic.append_log import AppendLog, DamagedLineError
from scenarios.dictionary import NUMBERS, NounEntry, Number, ObjectDictionary
from scenarios.llm.costs import token_counter
from scenarios.llm.forms import thinks_first
from training.texts.captions import CaptionError, NounCaptions, placeholder, wanted_captions
from training.texts.prompts import article

CAPTIONS_PER_CALL = 10
MOST_IDLE_CALLS = 3
"""Calls in a row without a new caption; after one more, nothing more is asked."""
LEAST_CHARACTERS = 10
"""Of a caption."""

TEMPERATURE = 0.8
MOST_TOKENS = 1000
"""Of an answer."""
TOKENS_PER_ANSWER = 200
"""What ten captions take, for estimates."""

_NUMBERED = re.compile(r"\s*\d+\.\s*(.*\S)\s*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a language model answered to one request."""

    target_noun: str
    number: Number
    text: str
    """Empty if it refused."""
    model: str
    input_tokens: int = 0
    """As the server counted them; 0 if it did not."""
    output_tokens: int = 0
    request_id: str = ""
    """Of a request in a batch, so that its answer is known again when it comes twice."""


class NounInProgress:
    """The captions of a noun while they are collected.

    Args:
        entry: The noun.
    """

    def __init__(self, entry: NounEntry) -> None:
        self.entry = entry
        self._captions: dict[Number, list[str]] = {number: [] for number in NUMBERS}
        self._idle = dict.fromkeys(NUMBERS, 0)

    @property
    def captions(self) -> NounCaptions:
        """Those collected so far."""
        singular, plural = (tuple(self._captions[number]) for number in NUMBERS)
        return NounCaptions(self.entry.target_noun, singular, plural)

    def lacks(self, number: Number) -> int:
        """Captions still to be had; 0 too once the number is given up."""
        if self._idle[number] > MOST_IDLE_CALLS:
            return 0
        return self._short(number)

    @property
    def next_number(self) -> Number | None:
        """What to ask for next: what lacks most; None when there is nothing more to ask."""
        number = max(NUMBERS, key=self.lacks)
        return number if self.lacks(number) else None

    @property
    def given_up(self) -> bool:
        """Whether captions lack that are no longer asked for."""
        return any(self._short(number) and not self.lacks(number) for number in NUMBERS)

    def add(self, number: Number, text: str) -> int:
        """Keep what is usable of an answer.

        Args:
            number: What was asked for.
            text: The answer.

        Returns:
            How many captions are new.
        """
        new = sum(self._add_line(number, line) for line in caption_lines(text))
        self._idle[number] = 0 if new else self._idle[number] + 1
        return new

    def _add_line(self, asked: Number, line: str) -> bool:
        """Keep a line in the number that it is in; in doubt in the one that lacks more."""
        fitting: dict[Number, str] = {
            number: insert_placeholder(line, pattern, number)
            for number, pattern in self._spellings.items()
            if pattern.search(line)
        }
        if not fitting:
            return False
        number = max(fitting, key=lambda number: (self._short(number), number == asked))
        caption = fitting[number]
        if self._short(number) == 0 or caption in self._captions[number]:
            return False
        self._captions[number].append(caption)
        return True

    @cached_property
    def _spellings(self) -> dict[Number, re.Pattern[str]]:
        """Made when the first answer comes: for a whole dictionary it takes a while."""
        return {
            number: pattern for number in NUMBERS if (pattern := _spellings(self.entry, number))
        }

    def _short(self, number: Number) -> int:
        return wanted_captions(self.entry, number) - len(self._captions[number])


def caption_lines(answer: str) -> list[str]:
    """The numbered lines of an answer that can be captions: ASCII, not too short, unquoted."""
    lines = []
    for line in answer.splitlines():
        numbered = _NUMBERED.fullmatch(line)
        if numbered is None:
            continue
        text = " ".join(unidecode(numbered[1]).split()).strip('"')
        if len(text) >= LEAST_CHARACTERS and not {"{", "}"} & set(text):
            lines.append(text)
    return lines


def insert_placeholder(line: str, spellings: re.Pattern[str], number: Number) -> str:
    """A line with the placeholder for every spelling of its noun, without marks at its end."""
    return spellings.sub(placeholder(number), line).rstrip(" ,.?!:")


def _spellings(entry: NounEntry, number: Number) -> re.Pattern[str] | None:
    """Finds any spelling of a noun as a word of its own; None if it has none in this number.

    Behind it may stand 's or one of , . ? ! : and then a space or the end.
    """
    known = {unidecode(spelling) for spelling, _ in entry.variants(number)}
    if not known:
        return None
    # The longest first, or "golf" would be found in "golf ball".
    choice = "|".join(re.escape(word) for word in sorted(known, key=lambda w: (-len(w), w)))
    return re.compile(rf"(?<!\S)(?:{choice})(?=(?:'s|[,.?!:])?(?:\s|$))", re.IGNORECASE)


def messages(entry: NounEntry, number: Number) -> list[dict[str, str]]:
    """What is asked of a chat model for ten captions of a noun."""
    if number == "singular":
        noun = entry.pretty_noun
        shown = f"{article(noun)} {noun}"
        form = "in the singular, never in the plural"
    else:
        noun, _ = max(entry.variants("plural"), key=lambda variant: variant[1])
        shown = f"several {noun}" if noun != entry.pretty_noun else f"more than one {noun}"
        form = "in the plural, never in the singular"
    return [
        {
            "role": "system",
            "content": "You write image captions: short, plain descriptions of what a photograph "
            "shows, as people write them who describe pictures for those who cannot see them.",
        },
        {
            "role": "user",
            "content": f"Write {CAPTIONS_PER_CALL} captions, each of another photograph that shows "
            f'{shown}. Every caption must contain "{noun}", spelt exactly so and {form}. Vary what '
            "else is seen, where the noun stands in the caption, and how the caption is built. Be "
            "factual, not poetic. Answer with the captions only, one on each line, numbered "
            f"1. to {CAPTIONS_PER_CALL}.",
        },
    ]


def request(model: str, entry: NounEntry, number: Number) -> dict[str, Any]:
    """The body of a chat completion request."""
    body: dict[str, Any] = {"model": model, "messages": messages(entry, number)}
    if thinks_first(model):
        return body | {"max_completion_tokens": 4 * MOST_TOKENS}
    return body | {"max_tokens": MOST_TOKENS, "temperature": TEMPERATURE}


def begin(dictionary: ObjectDictionary, limit: int | None = None) -> list[NounInProgress]:
    """All nouns, or the most frequent, without captions yet."""
    entries: Iterable[NounEntry] = dictionary.entries
    if limit is not None:
        entries = sorted(entries, key=lambda entry: -entry.total_freq)[:limit]
    return [NounInProgress(entry) for entry in entries]


def replay(nouns: Sequence[NounInProgress], answers: Iterable[Answer]) -> None:
    """Bring nouns to where they were; answers about other nouns are passed over."""
    known = {noun.entry.target_noun: noun for noun in nouns}
    for answer in answers:
        if answer.target_noun in known:
            known[answer.target_noun].add(answer.number, answer.text)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is still to be asked, if every answer is good."""

    calls: int
    input_tokens: int
    output_tokens: int


def estimate(nouns: Sequence[NounInProgress]) -> Estimate:
    """How many calls and tokens the captions that lack will take at least."""
    counter, calls, tokens = token_counter(), 0, 0
    for noun in nouns:
        for number in NUMBERS:
            if lack := noun.lacks(number):
                asked = math.ceil(lack / CAPTIONS_PER_CALL)
                calls += asked
                tokens += asked * counter.request({"messages": messages(noun.entry, number)})
    return Estimate(calls, tokens, calls * TOKENS_PER_ANSWER)


class AnswerLog:
    """Answers, one JSON object on a line, appended and on the disk before anything goes on.

    Args:
        path: The file; made if missing. What a kill left of a last line is cut off.

    Raises:
        CaptionError: If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._log = AppendLog(path)
        with _written(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._log.append()

    def append(self, answer: Answer) -> None:
        """Keep an answer.

        Raises:
            CaptionError: If it cannot be written; earlier ones stay.
        """
        with _written(self._log.path):
            row = asdict(answer)
            if not answer.request_id:
                del row["request_id"]
            self._log.append(row)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CaptionError(f"{path}: cannot be written: {error.strerror}") from error


def read_answers(path: Path) -> list[Answer]:
    """The answers that a file holds, none if it does not exist; a torn last line is passed over.

    Raises:
        CaptionError: If a line is no answer.
    """
    try:
        return AppendLog(path).read(_read_answer)
    except DamagedLineError as error:
        raise CaptionError(
            f"{path}:{error.line}: not an answer of a language model; "
            "remove the line, or write to another --out"
        ) from error


def batch_answers_file(folder: Path) -> Path:
    """Where earlier versions kept answers in the folder of batches; `read_answers` reads it."""
    return folder / "captions_output.jsonl"


def _read_answer(fields: dict[str, Any]) -> Answer:
    answer = Answer(**fields)
    if answer.number not in NUMBERS or not isinstance(answer.text, str):
        raise ValueError(answer.number)
    return answer
