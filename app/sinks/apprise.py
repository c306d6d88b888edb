"""Notifications to any of the hundred services that Apprise speaks to, with the event's picture."""

import hashlib
import logging
import re
import warnings
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, SecretStr

from app.address import is_address
from app.events.outbox import Message
from app.hiding import printable
from app.redact import hide, redact, remember
from app.report.times import local
from app.sinks.base import SinkError
from app.sinks.grouping import GROUPED, what_of
from app.sources.typed import read_source
from novic.extras import needing

WINDOW_S = 60.0
"""What rings within so long of a notification is told together."""
PICTURELESS_FROM = 2
"""Failed attempts after which a message goes without its picture, which may be what is refused."""
_SHORTEST_SECRET = 8


class AppriseConfig(BaseModel):
    """Which service, and how often at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: ClassVar[str] = "ntfy://my-private-topic"

    kind: Literal["apprise"] = "apprise"
    url: SecretStr
    group_s: float = WINDOW_S
    """What rings within so many seconds of a notification is told together; 0 for one by one."""
    pictures: bool = True
    """Whether the picture goes along."""

    @property
    def place(self) -> str:
        """The service, for people; all else of such an address may be secret."""
        return self.url.get_secret_value().partition("://")[0].lower()

    @property
    def key(self) -> str:
        """`apprise:`, the service, and a digest of the whole address."""
        digest = hashlib.sha256(self.url.get_secret_value().encode())
        return f"{self.kind}:{self.place}-{digest.hexdigest()[:8]}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read an address of Apprise.

        Args:
            text: Itself, or `env:NAME` or `@FILE` that hold it.

        Raises:
            ValueError: If Apprise does not know it.
            app.errors.UsageError: If the variable or the file holds none.
            novic.extras.MissingPackageError: If Apprise is not installed.
        """
        found = read_source(text, lambda _: None) if text.startswith(("env:", "@")) else text
        if not is_address(found):
            raise ValueError(f"{text or 'nothing'} is no address of Apprise")
        _hide(found)
        config = cls(url=SecretStr(found))
        if _opened(config) is None:
            raise ValueError(
                f"Apprise knows no service {config.place}:// or misses a part of its address"
            )
        return config


class AppriseSink:
    """Sends title, text and picture; the service's yes is the receipt."""

    def __init__(self, config: AppriseConfig, folder: Path) -> None:
        """Take the address; it is asked with the first message.

        Args:
            config: Where to.
            folder: Of the store, where the pictures lie.
        """
        self._config = config
        self._folder = folder
        self._service: Any = None

    def tend(self) -> None:
        """Nothing is needed between messages."""

    def send(self, message: Message) -> None:
        """Notify.

        Raises:
            SinkError: If the service did not take it.
        """
        place = f"apprise {self._config.place}"
        if self._service is None:
            self._service = _opened(self._config)
        if self._service is None:
            raise SinkError(f"{place}: cannot be used: Apprise does not know the address")
        title, text = wording(message)
        with _Listening() as heard:
            good = self._service.notify(
                body=text, title=title, notify_type="info", attach=self._picture(message)
            )
        if not good:
            raise SinkError(f"{place}: cannot be delivered now: {heard.why}")

    def close(self) -> None:
        """Nothing is held between messages."""
        self._service = None

    def _picture(self, message: Message) -> Any:  # noqa: ANN401 - Apprise has no types
        """The picture of the event, if there is one and it was not refused."""
        path = self._folder / str(message.body.get("snapshot", ""))
        wanted = self._config.pictures and message.attempts < PICTURELESS_FROM
        if not (wanted and path.is_file()):
            return None
        with needing("a notification"):
            from apprise import AppriseAttachment  # noqa: PLC0415 - an extra
            from apprise.attachment.file import AttachFile  # noqa: PLC0415
        # As a path: an address of it would be read, signs and all.
        attached = AppriseAttachment()
        attached.add(AttachFile(str(path.absolute())))
        return attached


def wording(message: Message) -> tuple[str, str]:
    """Title and text of a notification, for people."""
    body = message.body
    camera = printable(str(body.get("camera", "")))
    what = printable(what_of(body))
    if body.get("event") == GROUPED:
        return f"{body['count']} in {camera}" if camera else f"{body['count']} events", what
    title = f"{what} in {camera}" if camera else what
    said = [f"{local(body['start_us']):%H:%M:%S}"] if "start_us" in body else []
    p = body.get("headline_p")
    said += [f"{p:.0%}"] if isinstance(p, float) else []
    if not body.get("sure", True):
        guesses = ", ".join(f"{noun} {share:.0%}" for noun, share in body["candidates"][:3])
        said += [f"perhaps {printable(guesses)}"] if guesses else []
    said += [printable(str(body["said"]))] if body.get("said") else []
    return title, "\n".join([", ".join(said), f"event {body.get('id', '')}"]).strip()


class _Listening(logging.Handler):
    """Hears why Apprise failed, which it says nowhere but in its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: list[str] = []

    @property
    def why(self) -> str:
        """What it said last, without secrets."""
        said = self._said[-1] if self._said else "the service did not take it"
        return redact(printable(" ".join(said.split())))[:200].rstrip(".")

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())

    def __enter__(self) -> Self:
        logger = logging.getLogger("apprise")
        # It is told once that a service is away, not with every attempt.
        logger.propagate = False
        logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)


def _opened(config: AppriseConfig) -> Any:  # noqa: ANN401 - Apprise has no types
    """The service of an address; None if Apprise does not know it."""
    with needing("a notification"):
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - an extra
    # An answer that sends elsewhere could be made to reach into the own network.
    asset = AppriseAsset(app_id="Nomaly", app_desc="Nomaly", http_redirects=False)
    with _Listening(), warnings.catch_warnings():
        # Its services are imported here, and some of what they import is old.
        warnings.simplefilter("ignore", DeprecationWarning)
        return Apprise.instantiate(config.url.get_secret_value(), asset=asset)


def _hide(address: str) -> None:
    """Hide an address and its parts: in many services the host or the path is the secret."""
    remember(address)
    for part in re.split(r"[/?&@:=#]", address.partition("://")[2]):
        if len(part) >= _SHORTEST_SECRET and "." not in part:
            hide(part)
