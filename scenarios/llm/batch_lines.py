"""What came of the requests of a batch, read from the lines of a provider's result files."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.llm.costs import Prices
from scenarios.llm.faults import AGAIN_STATUSES
from scenarios.llm.transport import WROTE_NOTHING, Reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request."""

    reply: Reply
    again: bool = False
    """Whether nothing was worked out and nothing is wrong with the request."""


def read_outcomes(
    texts: Iterable[str], request_ids: Mapping[str, str], prices: Prices
) -> dict[str, Outcome]:
    """What came of every request of a batch.

    Lines may come in any order. Lines that are no JSON, of no request of this batch, or a second
    one to a request are left out; the first good answer to a request counts.

    Args:
        texts: The result files.
        request_ids: Ours, by the batch's own (`custom_id`).
        prices: Of the batch service.

    Returns:
        By the batch's own id; a request without a line is to be asked again.
    """
    found: dict[str, Outcome] = {}
    for text in texts:
        for line in filter(None, map(_parsed, text.splitlines())):
            name = line.get("custom_id")
            if isinstance(name, str) and (request_id := request_ids.get(name)):
                outcome = _outcome(line, request_id, prices)
                if name not in found or _is_better(outcome, found[name]):
                    found[name] = outcome
    for name, request_id in request_ids.items():
        text = "the batch came back without an answer to this request"
        missing = Reply(request_id, error=text, fault=True)
        found.setdefault(name, Outcome(missing, again=True))
    return found


def read_completion(completion: object, request_id: str, prices: Prices) -> Reply:
    """A reply from a chat completion as the protocol has it, parsed from JSON.

    Tokens that the provider does not tell count as none.
    """
    whole = _dict(completion)
    usage = _dict(whole.get("usage"))
    counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    tokens_in, tokens_out = (count if type(count) is int else 0 for count in counts)
    cost = prices.cost(tokens_in, tokens_out)
    choices = whole.get("choices")
    choice = _dict(choices[0]) if isinstance(choices, list) and choices else {}
    message, reason = _dict(choice.get("message")), choice.get("finish_reason")
    text, refusal = message.get("content"), message.get("refusal")
    error = ""
    if refusal:
        text, error = "", f"the model refused: {refusal}"
    elif reason == "content_filter":
        text, error = "", "the provider's content filter stopped the answer"
    elif not text:
        error = WROTE_NOTHING
    cut = reason == "length"
    return Reply(
        request_id, text if isinstance(text, str) else "", error, cut, tokens_in, tokens_out, cost
    )


def good_line(custom_id: str) -> str:
    """A line that gpt_batch_api takes for an answer without any fault.

    What really came is kept apart: the library discards, repeats or gives up too much
    (scenarios_spec §1.6).
    """
    completion = {
        "id": custom_id,
        "object": "chat.completion",
        "created": 0,
        "model": "",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "kept apart"},
            }
        ],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }
    response = {"status_code": 200, "request_id": custom_id, "body": completion}
    return json.dumps({"custom_id": custom_id, "response": response, "error": None})


def _outcome(line: Mapping[str, Any], request_id: str, prices: Prices) -> Outcome:
    response = _dict(line.get("response"))
    status = response.get("status_code")
    if status == 200:
        return Outcome(read_completion(response.get("body"), request_id, prices))
    if status is None:
        # No answer at all: expired, cancelled, overloaded; whatever it is called, nothing was paid.
        error = _dict(line.get("error"))
        reason = f"{error.get('code', 'error')}: {error.get('message', 'without a reason')}"
        return Outcome(Reply(request_id, error=reason, fault=True), again=True)
    error = _dict(_dict(response.get("body")).get("error"))
    reason = f"HTTP {status}: {error.get('message', 'without a reason')}"
    reply = Reply(request_id, error=reason, fault=error.get("code") != "content_filter")
    return Outcome(reply, again=status in AGAIN_STATUSES)


def _is_better(one: Outcome, other: Outcome) -> bool:
    """Whether there is more to an outcome than to another."""
    return (bool(one.reply.text), not one.again) > (bool(other.reply.text), not other.again)


def _parsed(line: str) -> dict[str, Any]:
    try:
        return _dict(json.loads(line))
    except (ValueError, RecursionError):
        return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
