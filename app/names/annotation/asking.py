"""One question to a multimodal language model: which of these nouns name what the image shows?

Any endpoint that speaks OpenAI's chat completions will do. The model must answer in a JSON schema;
what it answers is checked all the same, as small models and proxies don't always keep to it.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, get_args

from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError
from unidecode import unidecode

from app.names.images import read_image
from app.redact import redact
from scenarios.llm.transport import WROTE_NOTHING, ChatRequest
from scenarios.llm.transport import Reply as ChatReply
from training.evaluation.annotations import AnnotationError

Verdict = Literal["correct", "close", "incorrect"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

PROMPT = 1
"""Version of the wording below; opinions on another wording are not counted with these."""

SYSTEM = (
    "You check names that computer vision models gave to photographs. You are exact and fair: you "
    "judge every name by itself, only by what can be seen, and you know that most lists hold some "
    "right names and many wrong ones."
)
TASK = """Look at the image and decide what it is mainly of. Then judge each noun of this list:

{nouns}

correct - a right name for the main thing, or for one of several main things. A more general or a \
more exact name is right too, as long as it is true of that thing ("dog" and "beagle" for a beagle).
close - not right, but not far off: a sibling that looks alike, a part or the surroundings of the \
main thing, something small that is really to be seen, or a name too vague to be called right.
incorrect - everything else.

Answer with JSON alone: "shows", a few words on what the image is of, and "answers", one entry \
for each of the {count} nouns in the same order, with its "number", the "noun" as written above \
and your "verdict"."""

IMAGE_SIDE = 512
"""Longest side of what is sent, pixels; the low detail setting sees no more."""
REPLY_TOKENS = 1024


class QuestionError(AnnotationError):
    """The endpoint refused this one question; the text says why."""


class GarbageError(AnnotationError):
    """The answer is of no use; the text says why."""

    def __init__(self, why: str, tokens: tuple[int, int]) -> None:
        super().__init__(why)
        self.tokens = tokens
        """It was paid for all the same."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model said about the nouns of one question."""

    verdicts: Mapping[str, Verdict]
    tokens: tuple[int, int]
    """Read and written, as the endpoint counts them."""
    shows: str = ""
    """What the model took the image to be of."""

    @property
    def constant(self) -> bool:
        """Whether every noun got the same verdict."""
        return len(set(self.verdicts.values())) == 1


class NounVerdict(BaseModel):
    """The verdict on one noun of the list."""

    model_config = ConfigDict(extra="forbid")

    number: int
    noun: str
    verdict: Verdict


class Reply(BaseModel):
    """What the image shows, and a verdict on every noun of the list."""

    # The JSON schema of this class, docstrings included, is sent to the model.
    model_config = ConfigDict(extra="forbid")

    shows: str
    answers: list[NounVerdict]


OPTIONS: Mapping[str, Any] = {
    "temperature": 0.2,
    "top_p": 0.6,
    "max_tokens": REPLY_TOKENS,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "verdicts", "strict": True, "schema": Reply.model_json_schema()},
    },
}
"""Of every question; an endpoint that does not take one of them is asked without."""


def question(name: str, model: str, image: str, nouns: Sequence[str]) -> ChatRequest:
    """What is asked of a model about some nouns of an image.

    Args:
        name: Of the request.
        model: Its name at the endpoint.
        image: From `image_address`.
        nouns: Distinct, in the order in which they are listed.
    """
    return ChatRequest(name, {"model": model, "messages": messages(image, nouns), **OPTIONS})


def read_opinion(reply: ChatReply, nouns: Sequence[str]) -> Opinion:
    """The opinion in what came back for a question.

    Args:
        reply: What came.
        nouns: Those of the question, in its order.

    Raises:
        QuestionError: If the endpoint refuses this question.
        GarbageError: If the answer lacks nouns, has unknown verdicts, or is no JSON.
    """
    if reply.error not in ("", WROTE_NOTHING):
        raise QuestionError(redact(reply.error))
    tokens = (reply.tokens_in, reply.tokens_out)
    try:
        shows, verdicts = _read_reply(reply.text, nouns)
    except ValueError as error:
        cut = "it was cut off, " if reply.cut else ""
        raise GarbageError(f"{cut}{error}", tokens) from error
    return Opinion(verdicts, tokens, shows)


def image_address(path: Path) -> str:
    """An image as a data address: upright, at most 512 pixels long, JPEG.

    Raises:
        novic.images.ImageError: If it cannot be read.
    """
    image = Image.fromarray(read_image(str(path)))
    image.thumbnail((IMAGE_SIDE, IMAGE_SIDE))
    data = BytesIO()
    image.save(data, "jpeg", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


def prompt_text(nouns: Sequence[str]) -> str:
    """The question in words."""
    listed = "\n".join(f"{number}. {noun}" for number, noun in enumerate(nouns, start=1))
    return TASK.format(nouns=listed, count=len(nouns))


def messages(image: str, nouns: Sequence[str]) -> list[dict[str, Any]]:
    """The question as a chat: an image from `image_address` and the nouns."""
    shown = {"type": "image_url", "image_url": {"url": image, "detail": "low"}}
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": [shown, {"type": "text", "text": prompt_text(nouns)}]},
    ]


def _letters(noun: str) -> str:
    """A noun without what models like to change: case, accents, hyphens, quotes."""
    return "".join(letter for letter in unidecode(noun).casefold() if letter.isalnum())


def _read_reply(text: str, nouns: Sequence[str]) -> tuple[str, dict[str, Verdict]]:
    """(what the image shows, noun → verdict) of a model's reply.

    Raises:
        ValueError: If it is not the JSON that was asked for, or not about these nouns.
    """
    start, end = text.find("{"), text.rfind("}")  # some models wrap JSON in a Markdown block
    try:
        reply = Reply.model_validate_json(text[start : end + 1] if start >= 0 else text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        got = f" (got {first['input']!r})" if isinstance(first["input"], str) and place else ""
        raise ValueError(f"{place}: {first['msg']}{got}".removeprefix(": ")) from error
    asked = dict(enumerate(nouns, start=1))
    verdicts: dict[str, Verdict] = {}
    for answer in reply.answers:
        noun = asked.pop(answer.number, None)
        if noun is None:
            raise ValueError(f"number {answer.number} ({answer.noun!r}) was not asked or is twice")
        if _letters(answer.noun) != _letters(noun):
            raise ValueError(f"number {answer.number} is {noun!r}, but it judges {answer.noun!r}")
        verdicts[noun] = answer.verdict
    if asked:
        raise ValueError(
            f"{len(asked)} of {len(nouns)} nouns are missing ({next(iter(asked.values()))!r})"
        )
    return reply.shows, verdicts
