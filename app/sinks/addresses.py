"""Addresses of sinks, from the command line, the environment or a file."""

from collections.abc import Sequence

from app.address import is_address, split_address
from app.redact import remember
from app.sources.typed import read_source


def read_address(text: str, schemes: Sequence[str]) -> str:
    """The address that stands behind `KIND:`, as a program that connects needs it.

    Args:
        text: Itself, or `env:NAME` or `@FILE` that hold it.
        schemes: Those that make sense.

    Raises:
        ValueError: If it is no such address.
        app.errors.UsageError: If the variable or the file holds none.
    """
    found = read_source(text, lambda _: None) if text.startswith(("env:", "@")) else text
    like = " or ".join(f"{scheme}://" for scheme in schemes)
    if not is_address(found):
        raise ValueError(f"{text or 'nothing'} is no address; it must begin with {like}")
    remember(found)
    address = split_address(found)
    if address.scheme.lower() not in schemes or not address.host:
        raise ValueError(f"{address.shown} must begin with {like} and name a host")
    if address.port and not address.port.isdigit():
        raise ValueError(f"{address.shown}: its port is no number")
    return address.url()
