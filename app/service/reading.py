"""A site's file, read and checked: all that is wrong in it is told at once, by line and key."""

import os
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.address import is_address, split_address
from app.service.config import SiteConfig, check_name
from app.service.environment import FILE, Filled, filled, read_env, without_named
from app.service.errors import SiteError
from scenarios.yaml_files import Document, Fault, Key, ScenarioError, dotted, read_yaml

_INDENTED = (
    "mapping values are not allowed",
    "expected <block end>",
    "expected '<document start>'",
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A site's file that fits."""

    path: Path
    config: SiteConfig
    warnings: tuple[str, ...]
    """What to know, a sentence each."""

    @property
    def base(self) -> Path:
        """From where paths in the file go."""
        return self.path.absolute().parent

    @property
    def folder(self) -> Path:
        """Where results go."""
        return self.base / (self.config.folder or self.config.site)


def load_site(path: Path, environment: Mapping[str, str] | None = None) -> Loaded:
    """Read a site's file.

    Args:
        path: The YAML file; what it names as ${NAME} may stand in `.env` beside it.
        environment: Where names are looked up first; by default this process's.

    Raises:
        SiteError: If it cannot be read, or anything is wrong in it; up to ten faults are told.
    """
    _check_text(path)
    try:
        document = read_yaml(path)
    except ScenarioError as error:
        raise SiteError(f"{error}{_advice(str(error))}") from error
    if document.value is None:
        raise SiteError(
            f"{path}: is empty; it must hold version, site and cameras: nomaly config schema"
        )
    if not isinstance(document.value, dict):
        raise SiteError(f"{path}:1: write `key: value` lines, as version: 1")
    kept, notes = read_env(path.absolute().parent / FILE)
    inside = filled(
        document.value, {**kept, **(os.environ if environment is None else environment)}
    )
    full = Document(path, inside.value, document.lines, document.written)
    config, faults = full.fitted(SiteConfig)
    missing = {key for key, _ in inside.faults}
    faults = [one for one in faults if one[0] not in missing]
    faults += [*inside.faults, *_wrong(inside.value, {key[:2] for key, _ in faults} | missing)]
    if config is None or faults:
        raise SiteError(str(full.error(faults)))
    warnings = [
        f"{path}:{document.lines.get(key, 1)}: {said}" for key, said in _written(inside, config)
    ]
    return Loaded(path, config, (*notes, *warnings))


def _check_text(path: Path) -> None:
    """Refuse what YAML itself tells in its own words."""
    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise SiteError(f"{path}: cannot be read: {error.strerror or error}") from error
    for number, line in enumerate(lines, start=1):
        if re.match(r" *\t\s*[^\s#]", line):
            raise SiteError(f"{path}:{number}: is indented by a tab; use spaces, two for each step")


def _advice(said: str) -> str:
    """What to do about a fault that YAML found."""
    if any(one in said for one in _INDENTED):
        return "; look at how this line and the one before are indented"
    return ""


def _wrong(site: Mapping[str, Any], faulty: Set[Key]) -> Iterator[Fault]:
    """What may fit one by one, and does not together.

    Args:
        site: The whole file, whether its values fit or not.
        faulty: Cameras, and keys of values, of which something else has been found.
    """
    cameras, defaults = _mapping(site, "cameras"), _mapping(site, "defaults")
    folders: dict[str, str] = {}
    sources: dict[str, str] = {}
    for name in cameras:
        camera, key = _mapping(cameras, name), ("cameras", name)
        yield from ((key, why) for why in check_name(name))
        other = folders.setdefault(name.lower(), name)
        if other != name:
            yield key, f"differs from {other} by capitals alone; some disks take them for one"
        said = {*camera, *defaults, *({"learn"} if "scenario" in site else ())}
        if key not in faulty and said.isdisjoint(("learn", "detector")):
            yield key, "say what is normal: learn, as 60s, or detector, a folder"
        twin = sources.setdefault(str(camera.get("source", name)).strip(), name)
        if twin != name and (*key, "source") not in faulty:
            yield (*key, "source"), f"is that of {twin} too; one camera is watched once"
    if "scenario" in site and "decoder" in _mapping(site, "model"):
        yield ("model", "decoder"), "a scenario brings its own; name one of the two"
    if site.get("metrics") and "page" not in site:
        yield ("metrics",), "are on the page's port; say where, as page: {port: 8080}"
    if "ft" in site and "scenario" not in site:
        yield ("ft",), "is for a scenario"


def _mapping(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = values.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _written(inside: Filled, config: SiteConfig) -> Iterator[tuple[Key, str]]:
    """Where secrets stand in the file itself."""
    texts: list[tuple[Key, str]] = [
        (("cameras", name, "source"), camera.source) for name, camera in config.cameras.items()
    ]
    texts += [(("sinks", place), text) for place, text in enumerate(config.sinks)]
    for key, text in texts:
        typed = inside.named.get(key, text)
        address = without_named(typed.partition(":")[2] if key[0] == "sinks" else typed)
        if is_address(address) and split_address(address).has_secrets:
            yield key, f"{dotted(key)}: holds a password; write ${{NAME}} and put it into {FILE}"
    page = config.page
    for name in ("password_hash", "token"):
        said = None if page is None else getattr(page, name)
        if said and ("page", name) not in inside.named:
            yield ("page", name), f"page.{name}: stands in this file; write ${{NAME}}"
