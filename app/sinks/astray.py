"""Names that lead where no service is: to this network's own machinery."""

import ipaddress
import socket
from contextlib import suppress

_MACHINERY = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254"))
)
"""Where clouds give out the credentials of a machine to whoever asks from it."""


def leads_astray(host: str) -> str:
    """Why a host is not to be asked; empty if it may be.

    An address that the user wrote as such is meant. A name may be made by somebody else to lead to
    a link-local address, where routers and clouds answer. Who changes what a name means between
    this look and the connection is not kept out.

    Args:
        host: A name, or an address without brackets.
    """
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # Who connects tells it better.
        return ""
    for *_, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        # Names of the own network are given out with such IPv6 addresses.
        usual = address.version == 6 and host.lower().rstrip(".").endswith(".local")
        if address in _MACHINERY or (address.is_link_local and not usual):
            return f"its name leads to {address}; write that address itself if it is meant"
    return ""
