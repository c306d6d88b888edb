"""Topics as people write them: ros://DOMAIN/TOPIC."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from app.address import split_address

SCHEME = "ros"
HIGHEST_DOMAIN = 232
"""DDS has no ports for more."""
_TOPIC = re.compile(r"(/[A-Za-z_][A-Za-z0-9_]*)+")


def is_ros(address: str) -> bool:
    """Whether an address is that of a topic."""
    return address.strip().lower().startswith(f"{SCHEME}://")


@dataclass(frozen=True, slots=True)
class RosTopic:
    """A topic of ROS 2."""

    domain: int
    """ROS_DOMAIN_ID, 0 to HIGHEST_DOMAIN."""
    name: str
    """As ROS writes it, with a slash before it: /camera/image/compressed."""
    frame_id: str = ""
    """The frame that what is published refers to; only of a topic that is written to."""

    @property
    def dds_name(self) -> str:
        """The same as DDS knows it (ROS 2 design, "Topic and Service name mapping to DDS")."""
        return f"rt{self.name}"

    @property
    def compressed(self) -> bool:
        """Whether its pictures are files, by the name that image_transport gives such topics."""
        return self.name.endswith("/compressed")

    @classmethod
    def parse(cls, text: str) -> "RosTopic":
        """Read ros://DOMAIN/TOPIC or ros://DOMAIN/TOPIC?frame_id=NAME.

        Raises:
            ValueError: If it makes no sense; the text says why.
        """
        address = split_address(text)
        name, _, query = address.rest.partition("?")
        name = name.rstrip("/")
        domain = address.host
        if address.scheme.lower() != SCHEME or address.user or address.port:
            raise ValueError(f"{address.shown}: write ros://DOMAIN/TOPIC, as ros://0/camera/image")
        if not domain.isdecimal() or int(domain) > HIGHEST_DOMAIN:
            raise ValueError(
                f"{address.shown}: the domain (ROS_DOMAIN_ID) is a number from 0 to "
                f"{HIGHEST_DOMAIN}; write ros://0{name} for the usual one"
            )
        if not _TOPIC.fullmatch(name):
            raise ValueError(
                f"{address.shown}: {name or 'nothing'} is no topic; names consist of letters, "
                "digits and _, with / between them"
            )
        options = dict(parse_qsl(query, keep_blank_values=True))
        frame_id = options.pop("frame_id", "")
        if options:
            raise ValueError(f"{address.shown}: knows no {next(iter(options))}, only frame_id")
        return cls(int(domain), name, frame_id)
