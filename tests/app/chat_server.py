"""A real HTTP server that speaks chat completions, for tests of what asks language models."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image

from tests.peers.llm_model import completion_of, error
from tests.peers.llm_server import LlmServer, Said, serving

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}
"""A picture of one colour is recognised by whoever really decodes it."""


@dataclass(frozen=True)
class Asked:
    """A request as the server understood it."""

    body: dict[str, Any]
    nouns: list[str]
    colour: str
    size: tuple[int, int]
    """Of the image, width and height."""


@dataclass(frozen=True)
class Reply:
    """What the server answers."""

    content: Any = ""
    """The model's text; anything but a text is made JSON."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: str = ""
    """The whole answer in place of a chat completion."""

    def said(self) -> Said:
        """As the server sends it; every answer counts 100 tokens read and 10 written."""
        if self.raw:
            return self.status, self.headers | {"Content-Type": "application/json"}, self.raw
        content = self.content if isinstance(self.content, str) else json.dumps(self.content)
        if self.status != 200:
            return self.status, self.headers, error(content, "test")
        return 200, self.headers, completion_of(content, (100, 10))


type Behaviour = Callable[[Asked, int], Reply]
"""Takes a request and its number, from 0."""


class ChatServer(LlmServer):
    """Answers requests as its behaviour says, and remembers them."""

    def __init__(self, behave: Behaviour) -> None:
        super().__init__()
        self.behave = behave
        self.asked: list[Asked] = []

    def say(self, body: dict[str, Any], kind: str) -> Said:
        del kind
        image, text = body["messages"][-1]["content"]
        data = image["image_url"]["url"].removeprefix("data:image/jpeg;base64,")
        picture = Image.open(BytesIO(base64.b64decode(data, validate=True)))
        pixel = picture.getpixel((picture.width // 2, picture.height // 2))
        assert picture.format == "JPEG"
        assert isinstance(pixel, tuple)
        nouns = re.findall(r"^\d+\. (.+)$", text["text"], flags=re.MULTILINE)
        asked = Asked(body, nouns, nearest(pixel), picture.size)
        with self.lock:
            number = len(self.asked)
            self.asked.append(asked)
        return self.behave(asked, number).said()


def nearest(pixel: Sequence[float]) -> str:
    """The colour that a pixel is of."""
    return min(
        COLOURS,
        key=lambda name: sum((a - b) ** 2 for a, b in zip(pixel, COLOURS[name], strict=True)),
    )


def verdicts(asked: Asked, judge: Callable[[str], str]) -> Reply:
    """A well-formed answer."""
    rows = [
        {"number": number, "noun": noun, "verdict": judge(noun)}
        for number, noun in enumerate(asked.nouns, start=1)
    ]
    return Reply({"shows": f"something {asked.colour}", "answers": rows})


def chat_server(behave: Behaviour) -> AbstractContextManager[ChatServer]:
    """Serve on a free port of this machine."""
    return serving(ChatServer(behave))
