"""What errors of a client of OpenAI's protocol mean, and which of them pass."""

import openai

from scenarios.llm.cleaning import Cleaner

AGAIN_STATUSES = {408, 409, 429, 500, 502, 503, 504}
"""HTTP statuses that say nothing about the request: it was not paid for and may be asked again."""
SAID = 300
"""Letters of a server's error text that are passed on."""


def may_pass(error: openai.APIError) -> bool:
    """Whether the same request may be answered later: a server that is busy, at fault or absent."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in AGAIN_STATUSES and error.code != "insufficient_quota"
    return isinstance(error, openai.APIConnectionError)


def told(error: openai.OpenAIError, clean: Cleaner) -> str:
    """A foreign text without secrets, short, on one line."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else None
    line = clean(str(said or cause or getattr(error, "message", "") or error))
    return line if len(line) <= SAID else f"{line[:SAID]}…"


def status(error: openai.OpenAIError) -> str:
    """How an endpoint answered, to begin a sentence with; empty if it did not."""
    return f"answered {error.status_code}: " if isinstance(error, openai.APIStatusError) else ""


def meaning(error: openai.OpenAIError, text: str, patience_s: float) -> str | None:
    """What an error means for everything that is asked, and what to do.

    Args:
        error: Of the client.
        text: What `told` makes of it.
        patience_s: How long an answer was waited for, seconds.

    Returns:
        The end of a sentence about the endpoint; None if the error concerns one request alone.
    """
    if isinstance(error, openai.APITimeoutError):
        return (
            f"takes longer than {patience_s:g} s to answer a request; ask fewer at once, as a "
            "small machine answers one after the other, or use a faster server"
        )
    if isinstance(error, openai.APIConnectionError):
        return (
            f"does not answer ({text}), so it cannot be reached; start the server, or check "
            "address and connection"
        )
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return f"{status(error)}it refuses the key ({text}); check the key and what it may use"
    if getattr(error, "code", None) == "insufficient_quota":
        return f"{status(error)}it has no money left in the account ({text}); top it up"
    if isinstance(error, openai.RateLimitError):
        return f"{status(error)}it is too busy ({text}); try again later, or ask fewer at once"
    return None
