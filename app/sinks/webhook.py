"""An address that is posted each state of an event, signed, as Standard Webhooks asks."""

import base64
import binascii
import hashlib
import hmac
import json
import os
import time
from typing import ClassVar, Literal, Self

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr

from app.events.outbox import Message
from app.redact import hide
from app.sinks.addresses import read_address
from app.sinks.astray import leads_astray
from app.sinks.base import RefusedError, SinkError

SECRET = "NOMALY_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
"""Variable of the environment with the secret that messages are signed with."""
PREFIX = "whsec_"
"""Before a secret in base64, as services show it."""
MOST_TRIES = 3
"""So often a message is posted that the other side calls bad."""
BAD = frozenset((400, 413, 415, 422))
"""Answers that speak of the message, not of the address, the login or the moment."""
_GONE_FOR_NOW = {
    401: "wants a login that works",
    403: "does not let this login in",
    404: "knows no such path",
}


class WebhookConfig(BaseModel):
    """Where to post."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: ClassVar[str] = "https://example.org/hook"

    kind: Literal["webhook"] = "webhook"
    url: SecretStr
    secret: SecretStr | None = None
    """Messages are signed with it; None for no signature."""
    limit_s: float = 10.0
    """After so long without an answer it counts as away."""
    group_s: float = 0.0
    """What rings within so many seconds is told together, and nothing but what rings; 0 for every
    state of every event by itself."""

    @property
    def place(self) -> str:
        """The host, for people."""
        return httpx.URL(self.url.get_secret_value()).host

    @property
    def key(self) -> str:
        """`webhook:`, the host, and a digest of the whole address, which may hold secrets."""
        digest = hashlib.sha256(self.url.get_secret_value().encode())
        return f"{self.kind}:{self.place}-{digest.hexdigest()[:8]}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read an address, and the secret from the environment.

        Args:
            text: `https://...` or `http://...`, or `env:NAME` or `@FILE` that hold it.

        Raises:
            ValueError: If it is none.
        """
        url = read_address(text, ("https", "http"))
        secret = os.environ.get(SECRET, "")
        hide(secret)
        return cls(url=SecretStr(url), secret=SecretStr(secret) if secret else None)


class WebhookSink:
    """Posts the message as JSON and takes any answer of 2xx as the receipt.

    Headers are those of Standard Webhooks 1.0: `webhook-id` (the same for a message that comes
    again), `webhook-timestamp` (seconds since 1970) and, with a secret, `webhook-signature`: `v1,`
    and the base64 of the HMAC-SHA256 of `id.timestamp.body`.
    """

    def __init__(self, config: WebhookConfig) -> None:
        """Take the address; it is asked with the first message."""
        self._config = config
        # An address that sends elsewhere could be made to reach into the own network.
        self._client = httpx.Client(timeout=config.limit_s, follow_redirects=False)

    def tend(self) -> None:
        """Nothing is needed between messages."""

    def send(self, message: Message) -> None:
        """Post a message.

        Raises:
            SinkError: If nobody answers, or the answer is none of 2xx.
            RefusedError: If the message itself was called bad MOST_TRIES times.
        """
        body = json.dumps(message.as_json(), ensure_ascii=False).encode("utf-8", "surrogateescape")
        headers = {"content-type": "application/json", **self._signed(message, body)}
        url, place = self._config.url.get_secret_value(), self._config.place
        why = leads_astray(place)
        if why:
            raise SinkError(f"{place}: cannot be used: {why}")
        try:
            answer = self._client.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise SinkError(f"{place}: cannot be reached: {_why(error)}") from error
        if answer.is_success:
            return
        fault = f"{place}: {_said(answer)}"
        if answer.status_code in BAD and message.attempts + 1 >= MOST_TRIES:
            raise RefusedError(f"{fault}, {MOST_TRIES} times for {message.body.get('id', '')}")
        raise SinkError(fault)

    def close(self) -> None:
        """Close the connection that is kept between messages."""
        self._client.close()

    def _signed(self, message: Message, body: bytes) -> dict[str, str]:
        told = {"webhook-id": f"{message.body.get('id', '')}-{message.number}"}
        # The moment of sending, by which a replay is told: no frame has it.
        told["webhook-timestamp"] = f"{time.time_ns() // 10**9}"
        if self._config.secret is not None:
            signed = f"{told['webhook-id']}.{told['webhook-timestamp']}.".encode() + body
            told["webhook-signature"] = signature(self._config.secret.get_secret_value(), signed)
        return told


def signature(secret: str, content: bytes) -> str:
    """What stands in `webhook-signature`.

    Args:
        secret: Base64 behind `whsec_`; anything else is taken as it is.
        content: Id, timestamp and body with dots between.
    """
    key = secret.encode()
    if secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            key = secret.encode()
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _why(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return f"{error}" or type(error).__name__


def _said(answer: httpx.Response) -> str:
    code = answer.status_code
    if answer.is_redirect:
        return f"cannot be used: it sends elsewhere ({code}); name that address itself"
    why = _GONE_FOR_NOW.get(code, answer.reason_phrase.lower() or "no reason given")
    return f"cannot be used now: it answered {code}, {why}"
