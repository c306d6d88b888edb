"""Zip and tar files alike: written whole, read without trusting what they say."""

import gzip
import hashlib
import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from scenarios.yaml_files import ScenarioError

_BLOCK = 1 << 20


class Archive(Protocol):
    """An archive that is open for reading."""

    names: list[str]
    """Of everything in it."""

    def opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """The content of a file in it."""
        ...

    def read(self, name: str, most: int) -> bytes:
        """The same at once, so many bytes at most."""
        ...

    def copy(self, name: str, target: Path, size: int) -> tuple[int, str]:
        """Write it to a file, and stop one byte after the size that was told.

        Returns:
            Bytes written, and their SHA-256.
        """
        ...


class _Reading:
    def opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        raise NotImplementedError

    def read(self, name: str, most: int) -> bytes:
        with self.opened(name) as file:
            return file.read(most)

    def copy(self, name: str, target: Path, size: int) -> tuple[int, str]:
        digest, left = hashlib.sha256(), size + 1
        with self.opened(name) as source, target.open("xb") as file:
            while left and (block := source.read(min(left, _BLOCK))):
                digest.update(block)
                file.write(block)
                left -= len(block)
            file.flush()
            os.fsync(file.fileno())
        return size + 1 - left, digest.hexdigest()


class _Zip(_Reading):
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = archive.namelist()

    def opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return self._archive.open(name)


class _Tar(_Reading):
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self.names = archive.getnames()

    def opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        file = self._archive.extractfile(name) if self._archive.getmember(name).isreg() else None
        if file is None:
            raise tarfile.ReadError(f"{name} is a link or a device")
        return file


@contextmanager
def read_archive(path: Path) -> Iterator[Archive]:
    """Open a .zip or .tar.gz, whatever its name.

    Raises:
        ScenarioError: If it is neither, or damaged; also when that shows only later.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _Zip(archive)
        else:
            with tarfile.open(path, "r:gz") as archive:
                yield _Tar(archive)
    except ScenarioError:
        raise
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError) as error:
        raise ScenarioError(f"{path}: is damaged, or no .zip or .tar.gz: {error}") from error


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
