"""The folder of a cache in the making: what was asked for and which shards are finished.

It grows shard by shard, so that a kill costs one shard and the same command goes on.

    plan.json      what was asked for; another request is refused
    journal.jsonl  a line for each finished shard
    spill/         captions in parts (`training.caches.spill`)

Both files and the folder disappear when the card is written, which is the last thing to happen.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from novic.errors import UsageError
from novic.whole_files import NEW
from training.caches.cache import (
    CARD,
    FORMAT,
    NOUNS,
    PLAN,
    V1_TARGETS,
    VERSION,
    CacheError,
    json_bytes,
    write_fault,
    write_file,
    write_nouns,
    write_shard,
)
from training.caches.shards import Shard, ShardRecord
from training.caches.spill import PARTS, TOGETHER

JOURNAL = "journal.jsonl"
SPILL = "spill"
SHARD_TEXTS = 16_384
"""Most vectors in a shard: about a minute of work for a CPU, 25 MB at 768 float16 components."""
SHARD_IMAGES = 2_048


class CacheWriter:
    """The folder of a cache in the making.

    Args:
        folder: Where the cache goes; what an interrupted run with the same request left is kept.
        request: All that decides what the cache will hold, as JSON values.
        overwrite: Remove a finished cache, or the beginning of another one.

    Raises:
        UsageError: If the folder holds a finished cache, one of another request, or other files.
        CacheError: If it cannot be written.
    """

    def __init__(self, folder: Path, request: Mapping[str, Any], *, overwrite: bool) -> None:
        self.folder = folder
        # Shards of another layout would not fit between those that are there.
        layout = [PARTS, TOGETHER, SHARD_TEXTS, SHARD_IMAGES]
        _claim(folder, {**request, "layout": layout}, overwrite=overwrite)
        self._journal = _read_journal(folder)
        self._earlier = frozenset(self._journal)
        lines = [json.dumps(entry) for entry in self._journal.values()]
        write_file(folder / JOURNAL, "".join(f"{line}\n" for line in lines).encode())

    def has(self, name: str) -> bool:
        """Whether an earlier run has finished a shard."""
        return name in self._earlier

    def has_group(self, group: str) -> bool:
        """Whether earlier runs have finished all shards of a group."""
        names = [name for name in self._earlier if name.startswith(f"{group}-")]
        return bool(names) and len(names) == self._journal[names[0]]["notes"]["of"]

    def write(self, name: str, shard: Shard, **notes: object) -> None:
        """Write a shard and note that it is finished.

        Raises:
            CacheError: If the disk is full or cannot be written.
        """
        record = write_shard(self.folder, name, shard)
        entry = {"name": name, "record": asdict(record), "notes": notes}
        journal = self.folder / JOURNAL
        try:
            with journal.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(entry)}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise write_fault(journal, error) from error
        self._journal[name] = entry

    def notes(self, key: str) -> list[Any]:
        """What was noted under a key with the shards, in their order."""
        return [self._journal[name]["notes"].get(key) for name in sorted(self._journal)]

    def finish(
        self,
        nouns: tuple[str, ...],
        card: Mapping[str, Any],
        extra: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write the card; from here on the folder is a cache.

        Args:
            nouns: Target nouns.
            card: What it says besides format, nouns and shards.
            extra: Other files of the cache by name.

        Raises:
            CacheError: If the disk is full or cannot be written, or the cache would be empty.
        """
        shards = [self._journal[name]["record"] for name in sorted(self._journal)]
        if not sum(shard["samples"] for shard in shards):
            raise CacheError(f"{self.folder}: nothing could be embedded, so there is no cache")
        for name, content in (extra or {}).items():
            write_file(self.folder / name, content)
        whole = {
            "format": FORMAT,
            "version": VERSION,
            **card,
            "nouns": len(nouns),
            "nouns_sha256": write_nouns(self.folder, nouns),
            "texts": sum(shard["vectors"] for shard in shards),
            "entries": sum(shard["entries"] for shard in shards),
            "samples": sum(shard["samples"] for shard in shards),
            "shards": shards,
        }
        write_file(self.folder / CARD, json_bytes(whole))
        for name in (PLAN, JOURNAL):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / SPILL, ignore_errors=True)


def _claim(folder: Path, request: Mapping[str, Any], *, overwrite: bool) -> None:
    """Make the folder with its plan, or make sure that it is of an earlier run of the request.

    Raises:
        UsageError: If it is not.
        CacheError: If it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder}: is a file; name a folder")
    present = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    foreign = sorted(name for name in present if not _is_ours(name))
    if foreign:
        raise UsageError(
            f"--out {folder}: holds files that are no cache's ({foreign[0]}, ...); "
            "name a new or empty folder"
        )
    if CARD in present and not overwrite:
        raise UsageError(
            f"--out {folder}: holds a finished cache; name another folder, or replace it with "
            "--overwrite"
        )
    plan = folder / PLAN
    if PLAN in present and CARD not in present:
        earlier = _read_plan(plan)
        if earlier == json.loads(json.dumps(request)):
            return
        if not overwrite:
            raise UsageError(
                f"--out {folder}: holds the beginning of another cache, which differs in "
                f"{_difference(request, earlier)}; finish that one, name another folder, or "
                "replace it with --overwrite"
            )
    try:
        for name in sorted(present):
            entry = folder / name
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_fault(folder, error) from error
    write_file(plan, json_bytes(dict(request)))


def _is_ours(name: str) -> bool:
    known = {CARD, NOUNS, PLAN, JOURNAL, SPILL, V1_TARGETS}
    return name.removesuffix(NEW) in known or name.startswith("shard-")


def _read_plan(plan: Path) -> dict[str, Any]:
    try:
        return json.loads(plan.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CacheError(f"{plan}: cannot be read: {error}; begin anew with --overwrite") from error


def _difference(asked: Mapping[str, Any], earlier: Mapping[str, Any]) -> str:
    names = [name for name in asked if asked[name] != earlier.get(name)]
    return ", ".join(f"{name} ({earlier.get(name)} before, {asked[name]} now)" for name in names)


def _read_journal(folder: Path) -> dict[str, dict[str, Any]]:
    """Finished shards by name, without lines that a kill cut short and files that are gone."""
    found = {}
    journal = folder / JOURNAL
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.is_file() else []
    for line in lines:
        try:
            entry = json.loads(line)
            record = ShardRecord(**entry["record"])
            size = (folder / record.file).stat().st_size
        except (ValueError, KeyError, TypeError, OSError):
            continue
        if size == record.bytes:
            found[entry["name"]] = entry
    return found
