"""A real HTTP server that speaks OpenAI's chat and batch protocol and writes captions."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

from tests.peers.llm_model import completion_of
from tests.peers.llm_server import LlmServer, Said, serving


def asked_noun(body: dict[str, Any]) -> str:
    return re.findall(r'"([^"]+)"', body["messages"][-1]["content"])[0]


def good_captions(body: dict[str, Any], call: int) -> str:
    noun = asked_noun(body)
    return "\n".join(f"{n}. Picture {call} by {n} shows {noun} in a yard." for n in range(1, 11))


def completion(text: str | None, model: str = "writer") -> dict[str, Any]:
    return completion_of(text, (150, 120), model)


class ChatServer(LlmServer):
    """Writes captions; `reply` can be replaced to misbehave."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)
        self.reply: Callable[[dict[str, Any], int], Said] = lambda body, call: (
            200,
            {},
            completion(good_captions(body, call)),
        )

    def say(self, body: dict[str, Any], kind: str) -> Said:
        del kind
        return self.reply(body, next(self._numbers))


def chat_server() -> AbstractContextManager[ChatServer]:
    return serving(ChatServer())
