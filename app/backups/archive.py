"""A run's folder, or a site's with all its cameras, in one compressed file, and back.

    backup.json                      format, version, and each file's SHA-256
    files/FOLDER/events.sqlite ...   what the stores held, and the pictures that they speak of

Databases are copied by SQLite itself, so a watch goes on meanwhile. Videos are left out.
"""

import hashlib
import io
import json
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import StoreError, UsageError
from app.events.folders import StoreFolder, watched_folders
from app.events.lock import HOLDER, LOCK
from app.events.logins import LOGINS
from app.events.media import MEDIA, pictures_at
from app.events.schema import STORE, WAIT_S

FORMAT = "nomaly-backup"
VERSION = 1
CARD = "backup.json"
ENDING = ".tar.gz"
_INSIDE = "files"
_LEFT_OUT = (LOCK, HOLDER, f"{STORE}-wal", f"{STORE}-shm", *LOGINS)
_VIDEO = ".mp4"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds."""

    files: int
    events: int
    size: int
    """Of the compressed file, bytes; of a restored one, of all that was written."""

    def as_json(self) -> dict[str, int]:
        """As scripts read it; keys are stable."""
        return {"files": self.files, "events": self.events, "bytes": self.size}


def backup(place: Path, out: Path) -> Backup:
    """Write a place into one file, and read that again.

    Args:
        place: As `app.events.folders.watched_folders` takes it.
        out: The file, ending in .tar.gz; it appears once it is whole.

    Raises:
        UsageError: If there is no store, or the file is there or has another ending.
        StoreError: If something cannot be read or written, or the file is not what was written.
    """
    if not out.name.endswith(ENDING):
        raise UsageError(f"{out}: name a file that ends in {ENDING}")
    if out.exists():
        raise UsageError(f"{out}: is there already; name another file")
    folders = watched_folders(place)
    part = out.with_name(f".{out.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=out.parent) as copies:
            _write(place, folders, part, Path(copies))
        found = _checked(part)
        part.replace(out)
    except (OSError, tarfile.TarError, sqlite3.Error) as error:
        raise StoreError(f"{out}: cannot be written: {error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return found


def _write(place: Path, folders: list[StoreFolder], part: Path, copies: Path) -> None:
    hashes: dict[str, str] = {}
    # What a camera saw is not for every user of the machine.
    part.touch(mode=0o600)
    with tarfile.open(part, "w:gz", compresslevel=1) as archive:
        for number, one in enumerate(folders):
            base = "" if one.folder == place else f"{one.name}/"
            copy = copies / f"{number}.sqlite"
            for name, file in _files(one.folder, copy):
                with suppress(FileNotFoundError):
                    # A picture may go meanwhile, with its event; the copy is of before.
                    hashes[base + name] = _add(archive, base + name, file)
            copy.unlink()
        if len(folders) > 1 or folders[0].folder != place:
            for file in sorted(place.glob("*.yaml")):
                hashes[file.name] = _add(archive, file.name, file)
        card = {"format": FORMAT, "version": VERSION, "files": hashes}
        text = json.dumps(card, indent=1).encode()
        described = tarfile.TarInfo(CARD)
        described.size = len(text)
        archive.addfile(described, io.BytesIO(text))


def _files(folder: Path, copy: Path) -> Iterator[tuple[str, Path]]:
    """What is kept of a folder: (name in the folder, file)."""
    _copy_database(folder / STORE, copy)
    yield STORE, copy
    with closing(sqlite3.connect(copy)) as database:
        events = database.execute("SELECT id, snapshot_s FROM event ORDER BY id").fetchall()
    for event_id, snapshot_s in events:
        for picture in pictures_at(folder, event_id, snapshot_s):
            yield f"{picture.parent.name}/{picture.name}", picture
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        if name.parts[0] in (*MEDIA, *_LEFT_OUT, STORE) or file.suffix == _VIDEO:
            continue
        if file.suffix == ".sqlite":
            other = copy.with_suffix(".other")
            _copy_database(file, other)
            yield str(name), other
        elif file.is_file() and not file.is_symlink():
            yield str(name), file


def _copy_database(file: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    address = f"{file.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=WAIT_S)) as database,
        closing(sqlite3.connect(copy)) as target,
    ):
        database.backup(target)
        # Else the copy would need files beside it.
        target.execute("PRAGMA journal_mode=DELETE")


def _add(archive: tarfile.TarFile, name: str, file: Path) -> str:
    """Add a file; returns its SHA-256. It is read whole, as it may grow meanwhile."""
    content = file.read_bytes()
    described = tarfile.TarInfo(f"{_INSIDE}/{name}")
    described.size, described.mode = len(content), 0o600
    described.mtime = int(file.stat().st_mtime)
    archive.addfile(described, io.BytesIO(content))
    return hashlib.sha256(content).hexdigest()


def _checked(part: Path) -> Backup:
    """What the file holds, restored beside it and looked at.

    Raises:
        StoreError: If it is not what was written.
    """
    with tempfile.TemporaryDirectory(dir=part.parent) as folder:
        found = _extract(part, Path(folder))
    return Backup(found.files, found.events, part.stat().st_size)


def restore(archive: Path, folder: Path) -> Backup:
    """Write what a backup holds into a new folder.

    Raises:
        UsageError: If the folder holds files, or the file is no backup.
        StoreError: If it is damaged, or cannot be read or written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is there already; name a new or empty folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _extract(archive, folder)
    except tarfile.ReadError as error:
        raise UsageError(f"{archive}: is no backup of Nomaly") from error
    except (OSError, EOFError, tarfile.TarError, sqlite3.Error, zlib.error) as error:
        raise StoreError(f"{archive}: cannot be restored: {error}") from error


def _extract(archive: Path, folder: Path) -> Backup:
    """Unpack into an empty folder, and see that it is all there and whole."""
    hashes: dict[str, str] = {}
    card: dict[str, Any] = {}
    size = 0
    with tarfile.open(archive, "r:gz") as opened:
        for member in opened:
            content = _content(opened, member)
            if member.name == CARD:
                card = json.loads(content)
                continue
            name = member.name.removeprefix(f"{_INSIDE}/")
            target = (folder / name).resolve()
            if not target.is_relative_to(folder.resolve()):
                raise StoreError(f"{archive}: {member.name} lies outside; it is no backup of ours")
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o600)
            hashes[name] = hashlib.sha256(content).hexdigest()
            size += len(content)
    if card.get("format") != FORMAT or card.get("version") != VERSION:
        raise UsageError(f"{archive}: is no backup of Nomaly, or of a newer one")
    if card["files"] != hashes:
        raise StoreError(f"{archive}: damaged, its files are not those that were written")
    events = sum(_events(one.folder / STORE) for one in watched_folders(folder))
    return Backup(len(hashes), events, size)


def _content(opened: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = opened.extractfile(member)
    return b"" if file is None else file.read()


def _events(store: Path) -> int:
    """How many events a store holds, which is whole.

    Raises:
        StoreError: If it is not.
    """
    with closing(sqlite3.connect(store)) as database:
        (said,) = database.execute("PRAGMA integrity_check").fetchone()
        if said != "ok":
            raise StoreError(f"{store}: damaged: {said}")
        return database.execute("SELECT count(*) FROM event").fetchone()[0]
