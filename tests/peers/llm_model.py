"""What a language model on a test server says to lists of nouns, and how it can go wrong."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

type FaultKind = Literal[
    # of the connection; nothing is paid
    "delay", "rate_limit", "error_500", "bad_request", "quota", "drop", "no_schema",
    # of the answer; it is paid
    "cut_body", "length", "refusal", "missing_keys", "malformed", "mismatched", "no_usage",
    # of a batch or its lines
    "batch_failed", "batch_expired", "line_expired", "line_500", "line_400", "line_code",
    "line_missing", "line_unknown",
]  # fmt: skip

SPOILED = {"length", "refusal", "missing_keys", "malformed", "mismatched", "no_usage"}
"""Paid, and of no use or in doubt."""

COMMON = "0000111122233344455667789"
"""Digits as a sensible model gives them to things of all kinds."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, for some of the requests."""

    kind: FaultKind
    every: int = 1
    """One request in so many."""
    by: Literal["call", "body"] = "call"
    """Counted as they come, or drawn by what is asked, so that the same is asked in vain again."""
    times: int | None = None
    """How often in all, or for each body; None for always."""
    after: int = 0
    """Calls that are spared first."""
    seconds: float = 0.05
    """Of a delay, or to wait after a 429."""


def key_of(body: Mapping[str, Any]) -> str:
    """Names a request by all that is asked, hexadecimal."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]


def lines_of(body: Mapping[str, Any]) -> dict[str, str]:
    """The nouns by key that the last message lists, such as "n7 torque wrench"."""
    content = body["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    return dict(re.findall(r"^(n\d+)[:.]? +(.+?)\s*$", text, flags=re.MULTILINE))


def digit_of(noun: str, table: Mapping[str, int]) -> int:
    """What the model thinks of a noun: from the table, else drawn by its name."""
    if noun in table:
        return table[noun]
    number = int(hashlib.sha256(noun.encode()).hexdigest()[:8], 16)
    return int(COMMON[number % len(COMMON)])


def completion(body: Mapping[str, Any], table: Mapping[str, int], kind: str = "") -> dict[str, Any]:
    """A chat completion that rates the listed nouns, well or with a fault."""
    digits = {key: digit_of(noun, table) for key, noun in lines_of(body).items()}
    if kind == "missing_keys":
        digits.pop(next(iter(digits)), None)
    elif kind == "mismatched":
        # The answers to other lines: the highest digits go to the lowest.
        ranked = sorted(digits, key=digits.__getitem__)
        values = [digits[key] for key in reversed(ranked)]
        digits = dict(zip(ranked, values, strict=True))
    text = json.dumps(digits)
    if kind == "malformed":
        text = text.replace(":", "=", 1) + "}"
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if kind == "refusal":
        message |= {"content": None, "refusal": "I cannot help with that."}
    elif kind == "length":
        message["content"] = text[: len(text) // 2]
    # As the server counts tokens: four characters each.
    tokens = len(json.dumps(body["messages"])) // 4, len(text) // 4 + 1
    said = completion_of(message["content"], tokens, body.get("model", ""))
    said["choices"][0] |= {
        "message": message,
        "finish_reason": "length" if kind == "length" else "stop",
    }
    said["usage"]["prompt_tokens_details"] = {"cached_tokens": tokens[0] // 2}
    if kind == "no_usage":
        del said["usage"]
    return said


def completion_of(text: str | None, tokens: tuple[int, int], model: str = "") -> dict[str, Any]:
    """A chat completion of a text, with the tokens that it counts, read and written."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text, "refusal": None},
            }
        ],
        "usage": {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        },
    }


def error(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """An error as OpenAI tells it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
