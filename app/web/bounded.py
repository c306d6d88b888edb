"""One call to the page: its body bounded, its answer with the headers that keep a page safe."""

from contextlib import suppress
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 1 << 20
"""Bytes that one call may bring; a mask, a verdict or a search is far less."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data: blob:; media-src 'self'; style-src 'self'; "
        "script-src 'self'; connect-src 'self'; manifest-src 'self'; font-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Set on every answer that does not set them itself."""


class _TooLongError(Exception):
    """The body is longer than a call may bring."""


@dataclass(slots=True)
class BoundedCall:
    """What an application is given in place of `receive` and `send`."""

    scope: Scope
    inner_receive: Receive
    inner_send: Send
    most: int = MOST_BODY
    _had: int = 0
    _too_long: bool = False
    _began: bool = False
    _again: list[Message] = field(default_factory=list)

    def announces_too_much(self) -> bool:
        """Whether the call says itself that it brings too much, or something that is no length."""
        length = Headers(scope=self.scope).get("content-length", "0")
        return not (length.isascii() and length.isdigit()) or int(length[:20]) > self.most

    def replay(self, body: bytes) -> None:
        """Give out a body that was read already once more."""
        self._again = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive(self) -> Message:
        """The next piece of the call.

        Raises:
            Exception: If it has brought too much; the answer is 413 whatever becomes of it.
        """
        if self._again:
            return self._again.pop()
        message = await self.inner_receive()
        self._had += len(message.get("body", b""))
        if self._had > self.most:
            self._too_long = True
            raise _TooLongError
        return message

    async def send(self, message: Message) -> None:
        """The next piece of the answer."""
        if self._too_long and not self._began:
            return
        if message["type"] == "http.response.start":
            self._began = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self.inner_send(message)

    async def refuse_length(self) -> None:
        """Answer that it was too much."""
        self._too_long, self._began = False, False
        text = f"more than {self.most} bytes at once are not taken"
        await PlainTextResponse(text, 413)(self.scope, self.inner_receive, self.send)

    async def run(self, app: ASGIApp) -> None:
        """Let an application answer."""
        with suppress(_TooLongError):
            await app(self.scope, self.receive, self.send)
        if self._too_long and not self._began:
            await self.refuse_length()
