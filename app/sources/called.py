"""What a camera is called, by its address."""

from typing import assert_never

from app.address import Address, is_place, split_address
from app.sources.base import UnreachableError
from app.sources.publisher import ReaderKind


def called(kind: ReaderKind, address: str) -> tuple[str, str]:
    """The address for people, and how a camera there is called."""
    match kind:
        case "network":
            network = split_address(address)
            return network.shown, host_of(network)
        case "ros":
            return address, address.rpartition("://")[2].partition("/")[2].partition("?")[0]
        case "webcam":
            return f"webcam {address}", f"webcam-{address}"
        case _:
            assert_never(kind)


def host_of(address: Address) -> str:
    """The host that an address names.

    Raises:
        UnreachableError: If it names none.
    """
    if not address.host:
        raise UnreachableError(f"{address.shown}: the address names no host")
    if not is_place(address.place):
        raise UnreachableError(f"{address.shown}: not a valid address; is @HOST missing in it?")
    return address.host.strip("[]")
