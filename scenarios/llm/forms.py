"""How requests are put to an endpoint that does not take all that OpenAI's takes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from scenarios.llm.transport import ChatRequest

SCHEMA, OBJECT, FREE = range(3)
"""Answers after a schema, as any JSON object, or as the model likes."""
NEEDLESS = frozenset({"temperature", "top_p", "reasoning_effort"})
"""Options that a request can do without."""
_THINKING = re.compile(r"o\d|gpt-5")


def thinks_first(model: str) -> bool:
    """Whether a model thinks before it answers.

    Such models take no temperature; the limit of an answer goes by its newer name there and holds
    what is thought as well.
    """
    return _THINKING.match(model) is not None


@dataclass(frozen=True, slots=True)
class Form:
    """What an endpoint takes."""

    format: int = SCHEMA
    dropped: frozenset[str] = frozenset()
    """Of the options that a request can do without."""
    completion_tokens: bool = False
    """Whether the limit of the answer goes by its newer name."""

    def of(self, request: ChatRequest) -> dict[str, Any]:
        """The body of a request in this form."""
        body = {name: said for name, said in request.body.items() if name not in self.dropped}
        if self.completion_tokens and "max_tokens" in body:
            body["max_completion_tokens"] = body.pop("max_tokens")
        if self.format == SCHEMA or "response_format" not in body:
            return body
        body["response_format"] = {"type": "json_object"}
        if self.format == FREE:
            del body["response_format"]
        if request.please:
            body["messages"] = _with(body["messages"], request.please)
        return body

    def without_what(self, refusal: str) -> Self:
        """The form without what an endpoint says it does not take; the same if that is unclear."""
        said = refusal.lower()
        renamed = "max_completion_tokens" in said or "support" in said
        if "max_tokens" in said and renamed and not self.completion_tokens:
            return replace(self, completion_tokens=True)
        if self.format < FREE:
            if any(name in said for name in ("json_schema", "json_object", "structured output")):
                return replace(self, format=self.format + 1)
            if "response_format" in said:
                return replace(self, format=FREE)
        for name in sorted(NEEDLESS - self.dropped):
            if name in said:
                return replace(self, dropped=self.dropped | {name})
        return self


def _with(messages: Sequence[dict[str, Any]], please: str) -> list[dict[str, Any]]:
    """Messages whose system message says more."""
    first, *others = messages
    if first["role"] != "system":
        return [{"role": "system", "content": please}, *messages]
    return [{**first, "content": f"{first['content']}\n\n{please}"}, *others]
