"""A scenario as one file, to be carried to another machine.

The archive, .zip or .tar.gz, holds a manifest and the files that it lists with their sizes and
SHA-256: scenario.yaml, overlay.yaml, the site's dictionary with its sidecar, and what scenario.yaml
names within the folder (base dictionary, decoders, detector). What can be made again is not in it.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from scenarios.archive_files import (
    LEAST_BYTES,
    MOST_BYTES,
    MOST_FILES,
    MOST_TIMES,
    Members,
    copy,
    read_archive,
    write_archive,
)
from scenarios.lock import running
from scenarios.settings import FILE, is_name
from scenarios.site import Scenario, load_scenario
from scenarios.yaml_files import ScenarioError

MANIFEST = "nomaly-scenario.json"
MOST_MANIFEST = 1_000_000
"""Bytes of it."""
_UNPACKING, _LOCK = ".import-", ".lock"
_ONE_BY_ONE = 64
"""Most files that are waited for on the disk one after the other."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Exported:
    """What an archive holds."""

    files: int
    left_out: list[str]
    """What scenario.yaml names that lies outside its folder."""


class _Member(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    path: str
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    format: Literal["nomaly-scenario"] = "nomaly-scenario"
    version: Literal[1] = 1
    name: str
    files: Annotated[list[_Member], FailFast(), Field(max_length=MOST_FILES)]


def export_scenario(scenario: Scenario, path: Path, *, overwrite: bool = False) -> Exported:
    """Write a scenario as one archive, whole or not at all.

    Args:
        scenario: The site.
        path: The archive; its ending says which kind.
        overwrite: Whether to replace it if it is there.

    Raises:
        ScenarioError: If the ending is unknown, the file is there, another run is on the scenario,
            a decoder that it names is not there, or nothing can be written.
    """
    if path.exists() and not overwrite:
        raise ScenarioError(f"{path}: exists already; name another file or say --overwrite")
    named, left_out = _named(scenario)
    try:
        with running(scenario.folder):
            files = sorted(_files(named))
            members = [_member(file, scenario.folder) for file in files]
            manifest = _listed(scenario.name, members)
            write_archive(path, {MANIFEST: manifest.encode()} | _sources(scenario, files))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror or error}") from error
    return Exported(len(files), left_out)


def _listed(name: str, members: list[_Member]) -> str:
    """The manifest of an archive that can be taken in again.

    Raises:
        ScenarioError: If there are too many files, or they are too large.
    """
    if len(members) > MOST_FILES or sum(member.size for member in members) > MOST_BYTES:
        raise ScenarioError(
            f"{name}: names more than {MOST_FILES:,} files or {MOST_BYTES:,} bytes; leave some out"
        )
    manifest = _Manifest(name=name, files=members).model_dump_json(indent=1)
    if len(manifest.encode()) > MOST_MANIFEST:
        raise ScenarioError(f"{name}: names too many files to list; leave some out")
    return manifest


def _named(scenario: Scenario) -> tuple[list[Path], list[str]]:
    """Files and folders that belong to a scenario, and what of them lies elsewhere."""
    settings = scenario.settings
    always = (scenario.overlay_path, scenario.site_dictionary_path, scenario.ratings_path)
    found = [scenario.file, *(path for path in always if path.exists())]
    said = [bundle.path for bundle in settings.bundles]
    said += [path for path in (settings.dictionary, settings.detector.folder) if path is not None]
    left_out = []
    for text in said:
        path = scenario.folder / text
        if not path.resolve().is_relative_to(scenario.folder.resolve()):
            left_out.append(text)
        elif not path.exists():
            raise ScenarioError(f"{scenario.file}: names {text}, which is not there")
        else:
            found.append(path)
    return found, left_out


def _files(paths: Iterable[Path]) -> set[Path]:
    inside = {file for path in paths for file in (path, *path.rglob("*"))}
    return {file for file in inside if file.is_file()}


def _inside(file: Path, folder: Path) -> str:
    return file.resolve().relative_to(folder.resolve()).as_posix()


def _sources(scenario: Scenario, files: Sequence[Path]) -> dict[str, bytes | Path]:
    return {f"{scenario.name}/{_inside(file, scenario.folder)}": file for file in files}


def _member(file: Path, folder: Path) -> _Member:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return _Member(path=_inside(file, folder), size=file.stat().st_size, sha256=digest.hexdigest())


def import_scenario(
    path: Path, root: Path, *, overwrite: bool = False, say: Callable[[str], object] = print
) -> Scenario:
    """Take a scenario out of an archive, whole or not at all.

    Everything is unpacked beside its place and checked, then put there in one go. If it replaces a
    scenario, the work folder of that one stays.

    Args:
        path: The archive.
        root: Folder of scenarios.
        overwrite: Whether to replace a scenario of the same name.
        say: Takes a sentence for the user.

    Raises:
        ScenarioError: If the archive is damaged or foreign or holds what it must not, the scenario
            is there, another run is on it, or nothing can be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _unpacking(root) as place:
            with read_archive(path, MANIFEST) as members:
                manifest = _manifest(members, path)
                folder, fresh = root / manifest.name, place / manifest.name
                if folder.exists() and not overwrite:
                    raise ScenarioError(f"{folder}: exists already; --overwrite replaces it")
                _unpack(members, manifest, fresh, path)
            _check_scenario(fresh, manifest, path)
            _put(fresh, folder)
    except OSError as error:
        raise ScenarioError(
            f"{error.filename or path}: cannot be read or written: {error.strerror or error}"
        ) from error
    scenario = load_scenario(folder)
    say(f"Took {len(manifest.files)} files out of {path}.")
    return scenario


@contextmanager
def _unpacking(root: Path) -> Iterator[Path]:
    """A folder to unpack in; those that a kill left behind are removed."""
    for earlier in root.glob(f"{_UNPACKING}*"):
        with suppress(Timeout, OSError), FileLock(earlier / _LOCK, timeout=0):
            shutil.rmtree(earlier)
    with (
        tempfile.TemporaryDirectory(prefix=_UNPACKING, dir=root) as place,
        FileLock(Path(place) / _LOCK, timeout=0),
    ):
        yield Path(place)


def _manifest(members: Members, path: Path) -> _Manifest:
    """The manifest, once it is sure that it leads nowhere else and asks for no more than is taken.

    Raises:
        ScenarioError: If not.
    """
    name, content = next(members, ("", None))
    if name != MANIFEST or content is None:
        raise ScenarioError(f"{path}: is no scenario that nomaly exported")
    raw = content.read(MOST_MANIFEST + 1)
    if len(raw) > MOST_MANIFEST:
        raise ScenarioError(f"{path}: {MANIFEST} in it is larger than {MOST_MANIFEST:,} bytes")
    try:
        manifest = _Manifest.model_validate_json(raw)
    except ValidationError as error:
        raise ScenarioError(f"{path}: {MANIFEST} in it is damaged or of another nomaly") from error
    if not is_name(manifest.name):
        raise ScenarioError(f"{path}: {manifest.name!r} in it is no name for a scenario")
    for member in manifest.files:
        _check_safe(f"{manifest.name}/{member.path}", path)
    _check_size(sum(member.size for member in manifest.files), path)
    return manifest


def _check_size(size: int, path: Path) -> None:
    packed = path.stat().st_size
    if size > MOST_BYTES:
        raise ScenarioError(f"{path}: unpacks to {size:,} bytes, more than {MOST_BYTES:,}")
    if size > max(LEAST_BYTES, MOST_TIMES * packed):
        raise ScenarioError(
            f"{path}: unpacks to {size:,} bytes, more than {MOST_TIMES} times its own size"
        )


def _check_safe(name: str, path: Path) -> None:
    if not _is_safe(name):
        raise ScenarioError(f"{path}: {name!r} in it leads out of the folder; nothing was taken")


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    clean = "\\" not in name and ":" not in name and name.isprintable()
    return (
        clean and bool(parts) and ".." not in parts and "/".join(parts) == name and name[0] != "/"
    )


def _unpack(members: Members, manifest: _Manifest, folder: Path, path: Path) -> None:
    """Write all files, each as it was listed, and see that they are on the disk.

    Raises:
        ScenarioError: If one is damaged, missing, listed nowhere or twice, or there is no room.
    """
    listed = {f"{manifest.name}/{member.path}": member for member in manifest.files}
    need = sum(member.size for member in manifest.files)
    free = shutil.disk_usage(folder.parent).free
    if need > free:
        raise ScenarioError(
            f"{path}: needs {need:,} bytes in {folder.parent.parent}, {free:,} free"
        )
    written = []
    for name, content in members:
        _check_safe(name, path)
        member = listed.pop(name, None)
        if member is None:
            raise ScenarioError(f"{path}: does not hold the files that its manifest lists")
        target = folder / member.path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if copy(content, target, member.size) != (member.size, member.sha256):
            raise ScenarioError(f"{path}: {member.path} in it is damaged; export it again")
        written.append(target)
    if listed or len(written) != len(manifest.files):
        raise ScenarioError(f"{path}: does not hold the files that its manifest lists")
    _make_safe(written)


def _make_safe(files: Sequence[Path]) -> None:
    """See that files are on the disk."""
    if len(files) > _ONE_BY_ONE:
        # A wait for the disk for each of thousands takes minutes.
        os.sync()
        return
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _check_scenario(folder: Path, manifest: _Manifest, path: Path) -> None:
    if not (folder / FILE).is_file():
        raise ScenarioError(f"{path}: holds no {FILE}")
    try:
        scenario = load_scenario(folder)
    except ScenarioError as error:
        told = str(error).replace(f"{folder}/", "")
        raise ScenarioError(f"{path}: what it holds is not right: {told}") from error
    if scenario.name != manifest.name:
        raise ScenarioError(
            f"{path}: its manifest says {manifest.name}, its {FILE} {scenario.name}"
        )


def _put(fresh: Path, folder: Path) -> None:
    """Put a folder in its place; one that was there lends its work folder and goes."""
    if not folder.exists():
        fresh.rename(folder)
        return
    with running(folder):
        earlier = fresh.with_name(".earlier")
        folder.rename(earlier)
        try:
            fresh.rename(folder)
        except OSError:
            earlier.rename(folder)
            raise
        (earlier / "work").rename(folder / "work")
