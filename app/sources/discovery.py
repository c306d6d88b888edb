"""Cameras that answer when all are asked: WS-Discovery (OASIS 2009), as ONVIF uses it.

Tried against an answerer of our own; no real camera was at hand.
"""

import re
import select
import socket
import struct
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from app.hiding import printable

GROUP = ("239.255.255.250", 3702)
SECONDS = 4.0
_MOST_BYTES = 1 << 16
_MOST_ANSWERS = 256
_LONGEST = 100
_SCOPE = re.compile(r"onvif://www\.onvif\.org/(name|hardware|location)/(\S+)", re.IGNORECASE)
_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>
<w:MessageID>urn:uuid:{number}</w:MessageID>
<w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
<w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>
</e:Header><e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body>
</e:Envelope>"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A device that says that it sends video."""

    host: str
    """Whoever answered: a number, which nobody can make up in the answer."""
    name: str
    """As it calls itself; empty if it does not."""
    hardware: str
    address: str
    """Where its ONVIF service is, as it says itself."""

    def as_json(self) -> dict[str, Any]:
        """The same as scripts read it."""
        return asdict(self)


def discover(seconds: float = SECONDS, group: tuple[str, int] = GROUP) -> list[Answer]:
    """Ask all networks of this machine, and wait for answers.

    Args:
        seconds: How long.
        group: Address and port to ask.

    Returns:
        One for each device, in the order of their addresses.
    """
    number = uuid.uuid4()
    question = _PROBE.format(number=number).encode()
    found: dict[str, Answer] = {}
    until_s = time.monotonic() + seconds
    with ExitStack() as stack:
        asking = [stack.enter_context(one) for one in _sockets()]
        # Twice, as the standard asks: UDP loses.
        for again in range(2):
            for one in asking:
                # A network that is down, or knows no groups.
                with suppress(OSError):
                    one.sendto(question, group)
            wait_s = min(0.2, seconds / 4) if again == 0 else until_s - time.monotonic()
            for answer in _answers(asking, str(number), wait_s):
                found.setdefault(answer.host, answer)
    return sorted(found.values(), key=lambda one: socket.inet_aton(one.host))


def _sockets() -> Iterator[socket.socket]:
    """One for each network of this machine, its own one too."""
    for index, _ in socket.if_nameindex():
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            one.setblocking(False)
            request = struct.pack("=4s4si", bytes(4), bytes(4), index)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        except OSError:
            one.close()
            continue
        yield one


def _answers(asking: Sequence[socket.socket], number: str, seconds: float) -> Iterator[Answer]:
    until_s = time.monotonic() + seconds
    for _ in range(_MOST_ANSWERS):
        left_s = until_s - time.monotonic()
        readable, _, _ = select.select(asking, [], [], max(0.0, left_s))
        if not readable:
            return
        for one in readable:
            with suppress(OSError):
                data, (host, _) = one.recvfrom(_MOST_BYTES)
                answer = read_answer(data, host, number)
                if answer is not None:
                    yield answer


def read_answer(data: bytes, host: str, number: str) -> Answer | None:
    """What an answer says; None if it is none to the question of that number.

    Args:
        data: What came, from anybody.
        host: Who sent it.
        number: Of the question.
    """
    # No answer needs one, and a few lines of them unfold to gigabytes.
    if b"<!" in data:
        return None
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - see above
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    said = {_plain(one.tag): (one.text or "").strip() for one in root.iter()}
    if number not in said.get("RelatesTo", "") or "ProbeMatches" not in said:
        return None
    scopes = {kind.lower(): value for kind, value in _SCOPE.findall(said.get("Scopes", ""))}
    addresses = said.get("XAddrs", "").split()
    own = next((one for one in addresses if _host(one) == host), addresses[0] if addresses else "")
    # Names have signs for spaces, as no space can stand in a scope.
    name, hardware = (
        unquote(scopes.get(kind, "")).replace("_", " ") for kind in ("name", "hardware")
    )
    return Answer(host, _shown(name), _shown(hardware), _shown(own))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]


def _shown(text: str) -> str:
    return printable(text)[:_LONGEST]
