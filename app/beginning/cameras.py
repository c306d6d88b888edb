"""What a camera is called in a site's file, and where its password goes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from app.address import is_address, split_address
from app.errors import UsageError
from app.redact import remember
from app.service.config import check_name
from app.sources.open import check_live, kind_of
from novic.errors import NomalyError

EXAMPLE = "rtsp://192.0.2.1/stream1"
"""An address that leads nowhere (RFC 5737), to be filled in."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as it stands in the file."""

    name: str
    source: str
    """With `${NAME}` in place of what is secret."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What goes into `.env`."""
    note: str = ""
    """A comment behind it."""


def cameras_of(sources: Sequence[str], folder: Path, taken: Iterable[str] = ()) -> list[Camera]:
    """Cameras of addresses, each with a name of its own.

    Args:
        sources: As `nomaly watch` takes them.
        folder: Of the site's file, from which paths in it go.
        taken: Names that `.env` has already.

    Raises:
        UsageError: If one makes no sense, or is there twice.
    """
    found: list[Camera] = []
    names: set[str] = set()
    variables = set(taken)
    for number, source in enumerate(sources):
        if source.strip() in (one.strip() for one in sources[:number]):
            raise UsageError(f"--source {_shown(source)}: is there twice; name each camera once")
        name = _free(name_of(source), names)
        camera = _camera(name, _from(folder, source.strip()), variables)
        variables |= set(camera.secrets)
        names.add(name.lower())
        found.append(camera)
    return found


def name_of(source: str) -> str:
    """A name for a camera, by its address: letters, digits and dashes.

    Raises:
        UsageError: If the address is none.
    """
    text = source.strip()
    try:
        kind = kind_of(text)
        if kind in ("file", "folder"):
            check_live(text)
    except NomalyError as error:
        raise UsageError(f"--source {error}") from error
    if kind == "webcam":
        return f"webcam-{text}"
    if kind == "network":
        host = split_address(text).host.strip("[]")
        if not host:
            raise UsageError(f"--source {_shown(text)}: the address names no host")
        numeric = re.fullmatch(r"[\d.]+|[0-9a-fA-F:.%]+", host) and not host.isalpha()
        return plain_name(f"camera-{host}" if numeric else host.partition(".")[0])
    return plain_name(Path(text).stem)


def _from(folder: Path, source: str) -> str:
    """A source as the file has to say it: paths there go from its own folder."""
    plain = source.isdecimal() or is_address(source) or Path(source).is_absolute()
    return source if plain or folder.absolute() == Path.cwd() else str(Path(source).absolute())


def plain_name(text: str) -> str:
    """The text as a name can be."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:50] or "camera"
    return f"camera-{plain}" if any(check_name(plain)) else plain


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number behind it; some disks take capitals for small letters."""
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _camera(name: str, source: str, taken: set[str]) -> Camera:
    if not is_address(source):
        return Camera(name, source)
    remember(source)
    address = split_address(source)
    if not address.has_secrets and not address.user:
        return Camera(name, source)
    key = re.sub(r"[^A-Z0-9]", "_", name.upper())
    key = key if key[0].isalpha() else f"CAMERA_{key}"
    user, password = f"{key}_USER", f"{key}_PASSWORD"
    plain = replace(address, user="", password=None)
    plain = split_address(plain.url())
    logged_in = bool(address.user) and address.password is not None
    # Three characters like %41 can be read in two ways; whoever connects tries both.
    escaped = unquote(f"{address.user}{address.password}") != f"{address.user}{address.password}"
    if not logged_in or escaped or plain.has_secrets:
        whole = _free_variable(f"{key}_ADDRESS", taken)
        return Camera(name, f"${{{whole}}}", {whole: _storable(name, source)})
    user, password = _free_variable(user, taken), _free_variable(password, taken)
    shown = f"{address.scheme}://${{{user}}}:${{{password}}}@{address.place}{address.rest}"
    kept = {user: address.user, password: address.password or ""}
    return Camera(name, shown, {one: _storable(name, text) for one, text in kept.items()})


def _free_variable(name: str, taken: set[str]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _storable(name: str, text: str) -> str:
    """What a line of `.env` can hold.

    Raises:
        UsageError: If it cannot.
    """
    if len(text.splitlines()) > 1 or not text.isprintable():
        raise UsageError(f"--source: the login of {name} holds a sign that no line can hold")
    return text


def _shown(text: str) -> str:
    return split_address(text).shown if is_address(text) else text
