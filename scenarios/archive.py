"""A scenario as one file, to be carried to another machine.

The archive, .zip or .tar.gz, holds a manifest and the files that it lists with their sizes and
SHA-256: scenario.yaml, overlay.yaml, the site's dictionary with its sidecar, and what scenario.yaml
names within the folder (base dictionary, decoders, detector). What can be made again is not in it.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scenarios.archive_files import Archive, read_archive, write_archive
from scenarios.lock import running
from scenarios.settings import FILE, is_name
from scenarios.site import Scenario, load_scenario
from scenarios.yaml_files import ScenarioError

MANIFEST = "nomaly-scenario.json"
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
    files: list[_Member]


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
            manifest = _Manifest(name=scenario.name, files=members).model_dump_json(indent=1)
            write_archive(path, {MANIFEST: manifest.encode()} | _sources(scenario, files))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror or error}") from error
    return Exported(len(files), left_out)


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
        with read_archive(path) as archive:
            manifest = _manifest(archive, path)
            folder = root / manifest.name
            if folder.exists() and not overwrite:
                raise ScenarioError(f"{folder}: exists already; --overwrite replaces it")
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".import-", dir=root) as unpacking:
                fresh = Path(unpacking) / manifest.name
                _unpack(archive, manifest, fresh, path)
                _check_scenario(fresh, manifest, path)
                _put(fresh, folder)
    except OSError as error:
        raise ScenarioError(
            f"{error.filename or path}: cannot be read or written: {error.strerror or error}"
        ) from error
    scenario = load_scenario(folder)
    say(f"Took {len(manifest.files)} files out of {path}.")
    return scenario


def _manifest(archive: Archive, path: Path) -> _Manifest:
    """The manifest, once it is sure that it fits the archive and leads nowhere else."""
    try:
        raw = json.loads(archive.read(MANIFEST, 1 << 26))
        manifest = _Manifest.model_validate(raw)
    except KeyError as error:
        raise ScenarioError(f"{path}: is no scenario that nomaly exported") from error
    except (ValueError, ValidationError) as error:
        raise ScenarioError(f"{path}: {MANIFEST} in it is damaged or of another nomaly") from error
    if not is_name(manifest.name):
        raise ScenarioError(f"{path}: {manifest.name!r} in it is no name for a scenario")
    told = [f"{manifest.name}/{member.path}" for member in manifest.files]
    for name in (*told, *archive.names):
        if not _is_safe(name):
            raise ScenarioError(f"{path}: {name!r} in it leads out of the folder; nothing was read")
    if sorted([MANIFEST, *told]) != sorted(archive.names):
        raise ScenarioError(f"{path}: does not hold the files that its manifest lists")
    return manifest


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    clean = "\\" not in name and ":" not in name and name.isprintable()
    return (
        clean and bool(parts) and ".." not in parts and "/".join(parts) == name and name[0] != "/"
    )


def _unpack(archive: Archive, manifest: _Manifest, folder: Path, path: Path) -> None:
    need, free = (
        sum(member.size for member in manifest.files),
        shutil.disk_usage(folder.parent).free,
    )
    if need > free:
        raise ScenarioError(
            f"{path}: needs {need:,} bytes in {folder.parent.parent}, {free:,} free"
        )
    for member in manifest.files:
        target = folder / member.path
        target.parent.mkdir(parents=True, exist_ok=True)
        size, digest = archive.copy(f"{manifest.name}/{member.path}", target, member.size)
        if (size, digest) != (member.size, member.sha256):
            raise ScenarioError(f"{path}: {member.path} in it is damaged; export it again")


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
        earlier = fresh.with_name("earlier")
        folder.rename(earlier)
        try:
            fresh.rename(folder)
        except OSError:
            earlier.rename(folder)
            raise
        (earlier / "work").rename(folder / "work")
