"""Zip and tar files alike: written whole, read without trusting what they say.

Whoever made an archive chose every size in it. Each read is bounded before it is made: what is
listed, what one header may hold, how many files there are, and how much they unpack to.
"""

import gzip
import hashlib
import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from scenarios.yaml_files import ScenarioError

MOST_FILES = 10_000
MOST_BYTES = 4 << 30
"""All files together, unpacked."""
MOST_TIMES = 100
"""What unpacks to more times its size is no scenario but meant to fill a disk; from `LEAST_BYTES`
on, as small texts pack well."""
LEAST_BYTES = 64 << 20
_MOST_NAMES = 8 << 20
"""Bytes of all names and headers together."""
_MOST_HEADER = 1 << 16
"""Bytes of those of one file."""
_BLOCK = 1 << 20

type Members = Iterator[tuple[str, IO[bytes]]]
"""Name and content of each file; a content is there until the next one is asked for."""


@contextmanager
def read_archive(path: Path, first: str) -> Iterator[Members]:
    """Open a .zip or .tar.gz, whatever its name.

    Args:
        path: The archive.
        first: File that comes before all others; in a .zip it may stand anywhere.

    Raises:
        ScenarioError: If it is neither, damaged, or holds more than is read; also when that shows
            only later.
    """
    try:
        if zipfile.is_zipfile(path):
            with _SmallReads(path) as file, zipfile.ZipFile(file) as archive:
                yield _limited(_zip_members(archive, first), path)
        else:
            with gzip.open(path) as unpacked:
                yield _limited(_tar_members(unpacked), path)
    except ScenarioError:
        raise
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
        ValueError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise ScenarioError(f"{path}: is damaged, or no .zip or .tar.gz: {error}") from error


def copy(source: IO[bytes], target: Path, size: int) -> tuple[int, str]:
    """Write a content to a file that is not there yet; stop one byte after the size that was told.

    Returns:
        Bytes written, and their SHA-256.
    """
    digest, left = hashlib.sha256(), size + 1
    with target.open("xb") as file:
        while left and (block := source.read(min(left, _BLOCK))):
            digest.update(block)
            file.write(block)
            left -= len(block)
    return size + 1 - left, digest.hexdigest()


def _limited(members: Members, path: Path) -> Members:
    for count, member in enumerate(members):
        # One more is the list of the others.
        if count > MOST_FILES:
            raise ScenarioError(f"{path}: holds more than {MOST_FILES:,} files")
        yield member


class _SmallReads(io.FileIO):
    """A file of which nobody reads much at once: zipfile reads all names in one go."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_NAMES:
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(-1 if size is None else size) or b""


def _zip_members(archive: zipfile.ZipFile, first: str) -> Members:
    infos = archive.infolist()
    for info in sorted(infos, key=lambda info: info.filename != first):
        # Others may ask for gigabytes of memory to unpack a byte.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{info.filename!r} is packed in another way than by deflate")
        with archive.open(info) as content:
            yield info.filename, content


class _Allowed(io.RawIOBase):
    """An unpacked tar of which no more is read than was allowed just before."""

    def __init__(self, unpacked: gzip.GzipFile) -> None:
        self._unpacked = unpacked
        self.left = 0

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= self.left:
            raise tarfile.ReadError("its headers are too long")
        self.left -= size
        return self._unpacked.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._unpacked.seek(offset, whence)

    def tell(self) -> int:
        return self._unpacked.tell()


def _tar_members(unpacked: gzip.GzipFile) -> Members:
    source, left = _Allowed(unpacked), _MOST_NAMES
    allowed = source.left = _MOST_HEADER
    with tarfile.open(fileobj=source, mode="r:") as archive:
        while (info := archive.next()) is not None:
            left -= allowed - source.left
            if not info.isreg() or info.issparse() or info.size < 0:
                raise tarfile.ReadError(f"{info.name} is a link or a device")
            source.left = info.size
            content = archive.extractfile(info)
            if content is None:
                raise tarfile.ReadError(f"{info.name} is no file")
            with content:
                yield info.name, content
            allowed = source.left = min(_MOST_HEADER, left)


def write_archive(path: Path, members: Mapping[str, bytes | Path]) -> None:
    """Write an archive whole; equal contents give equal archives.

    Args:
        path: The archive, .zip or .tar.gz.
        members: Contents, or files to read them from, by name.

    Raises:
        ScenarioError: If the ending is another.
        OSError: If it cannot be written; what was there before is left.
    """
    zipped = path.name.endswith(".zip")
    if not zipped and not path.name.endswith((".tar.gz", ".tgz")):
        raise ScenarioError(f"{path}: must end in .zip or .tar.gz")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            (_write_zip if zipped else _write_tar)(file, members)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write_zip(file: IO[bytes], members: Mapping[str, bytes | Path]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with _source(content) as source, archive.open(info, "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)


def _write_tar(file: IO[bytes], members: Mapping[str, bytes | Path]) -> None:
    with (
        _gzip(file) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = content.stat().st_size if isinstance(content, Path) else len(content)
            with _source(content) as source:
                archive.addfile(info, source)


def _gzip(file: IO[bytes]) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)


def _source(content: bytes | Path) -> IO[bytes]:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)
