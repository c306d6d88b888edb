"""Archives that were made to exhaust the machine are refused, within little memory."""

import gzip
import io
import json
import os
import signal
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from scenarios.archive import MANIFEST, MOST_MANIFEST, import_scenario
from scenarios.archive_files import LEAST_BYTES, MOST_BYTES, MOST_FILES
from scenarios.site import load_scenario
from scenarios.yaml_files import MOST_BYTES as MOST_YAML
from scenarios.yaml_files import ScenarioError
from tests.limited import run_limited

SCENARIO = b"version: 1\nname: hall\ndescription: A hall.\n"
ZEROS = bytes(1 << 20)

IMPORTS = """
import sys
from pathlib import Path
from scenarios.archive import import_scenario
from scenarios.yaml_files import ScenarioError
"""
IMPORT = """
try:
    import_scenario(Path(sys.argv[1]), Path(sys.argv[2]))
except ScenarioError as error:
    print(error)
"""


def refused(archive: Path, root: Path) -> str:
    """What an import says that may take 64 MiB of memory."""
    said = run_limited(IMPORTS, IMPORT, archive, root)
    assert not root.exists() or list(root.iterdir()) == []
    return said


def listed(*members: tuple[str, int, bytes]) -> bytes:
    files = [
        {"path": name, "size": size, "sha256": sha256(content).hexdigest()}
        for name, size, content in members
    ]
    told = {"format": "nomaly-scenario", "version": 1, "name": "hall", "files": files}
    return json.dumps(told).encode()


def zipped(path: Path, manifest: bytes, members: dict[str, bytes], how: int = 8) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr(MANIFEST, manifest)
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_manifest_of_millions_of_lists(tmp_path: Path):
    head = b'{"format":"nomaly-scenario","version":1,"name":"hall","files":['
    large = zipped(tmp_path / "large.zip", head + b"[]," * 20_000_000 + b"[]]}", {})
    assert large.stat().st_size < 200_000
    assert "is larger than 1,000,000 bytes" in refused(large, tmp_path / "root")
    most = (MOST_MANIFEST - len(head) - 4) // 3
    just = zipped(tmp_path / "just.zip", head + b"[]," * most + b"[]]}", {})
    assert "in it is damaged or of another nomaly" in refused(just, tmp_path / "root")
    deep = zipped(tmp_path / "deep.zip", b"[" * MOST_MANIFEST, {})
    assert "in it is damaged or of another nomaly" in refused(deep, tmp_path / "root")


def block(name: str, kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


def sparse(blocks: int) -> list[bytes]:
    """An old GNU header of a sparse file whose map goes on and on."""
    head = bytearray(block("hall/a", tarfile.GNUTYPE_SPARSE, 0))
    head[482] = 1
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    more = struct.pack("12s12s", b"%011o" % 1, b"%011o" % 1) * 21 + b"\1" + bytes(7)
    return [bytes(head), more * blocks]


@pytest.mark.parametrize(
    "parts",
    [
        lambda: [block("x", tarfile.XHDTYPE, 128 << 20), *[ZEROS] * 128],
        lambda: [block("x", tarfile.XGLTYPE, 128 << 20), *[ZEROS] * 128],
        lambda: [block("x", tarfile.GNUTYPE_LONGNAME, 128 << 20), *[ZEROS] * 128],
        lambda: [block("x", tarfile.GNUTYPE_LONGLINK, 128 << 20), *[ZEROS] * 128],
        lambda: sparse(100_000),
        lambda: [padded(block("x", tarfile.XHDTYPE, 20) + b"20 comment=aaaaaaaaa")] * 20_000,
    ],
    ids=["pax", "global", "long name", "long link", "sparse", "chain"],
)
def test_headers_of_a_tar_that_are_longer_than_all_files(
    tmp_path: Path, parts: Callable[[], list[bytes]]
):
    path, manifest = tmp_path / "x.tar.gz", listed(("a", 0, b""))
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(block(MANIFEST, tarfile.REGTYPE, len(manifest)) + padded(manifest))
        for part in parts():
            packed.write(part)
        packed.write(bytes(2 * tarfile.BLOCKSIZE))
    assert path.stat().st_size < 2_000_000
    assert "x.tar.gz: is damaged, or no .zip or .tar.gz" in refused(path, tmp_path / "root")


def test_many_small_headers_of_a_tar(tmp_path: Path):
    files = {f"{number:05}{'x' * 3000}": b"" for number in range(4000)}
    manifest = listed(("scenario.yaml", 0, b""))
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT) as archive:
        for name, content in {MANIFEST: manifest, **files}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert "does not hold the files" in refused(path, tmp_path / "root")


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (2 * LEAST_BYTES, "more than 100 times its own size"),
        (MOST_BYTES + 1, "unpacks to 4,294,967,297 bytes, more than 4,294,967,296"),
        (10**30, "more than 4,294,967,296"),
    ],
)
def test_zeros_that_would_fill_the_disk(tmp_path: Path, size: int, told: str):
    manifest = listed(("zeros", size, b""))
    path = zipped(tmp_path / "x.zip", manifest, {"hall/zeros": bytes(min(size, 1 << 24))})
    assert told in refused(path, tmp_path / "root")


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_too_many_files(tmp_path: Path, name: str):
    names = [f"a{number}" for number in range(MOST_FILES + 1)]
    told = [("scenario.yaml", len(SCENARIO), SCENARIO), *((name, 0, b"") for name in names[:99])]
    members = {"hall/scenario.yaml": SCENARIO, **{f"hall/{name}": b"" for name in names}}
    path = tmp_path / name
    if name.endswith("zip"):
        zipped(path, listed(*told), members)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for entry, content in {MANIFEST: listed(*told), **members}.items():
                info = tarfile.TarInfo(entry)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    assert "does not hold the files that its manifest lists" in refused(path, tmp_path / "root")
    listing = listed(*((str(number), 0, b"") for number in range(MOST_FILES + 1)))
    assert "larger than" in refused(zipped(path, listing, {}), tmp_path / "root")


def test_names_that_are_longer_than_all_files(tmp_path: Path):
    members = {f"{number:04}{'x' * 60_000}": b"" for number in range(150)}
    path = zipped(tmp_path / "x.zip", listed(), members)
    assert "its list of files is too long" in refused(path, tmp_path / "root")


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_ways_of_packing_take_memory_as_they_like(tmp_path: Path, how: int):
    path = zipped(tmp_path / "x.zip", listed(), {}, how)
    assert "packed in another way than by deflate" in refused(path, tmp_path / "root")


def test_a_scenario_file_of_megabytes(tmp_path: Path):
    text = SCENARIO + b"#" * MOST_YAML
    manifest = listed(("scenario.yaml", len(text), text))
    path = zipped(tmp_path / "x.zip", manifest, {"hall/scenario.yaml": text})
    assert "is larger than 4,000,000 bytes, so it is not read" in refused(path, tmp_path / "root")


def of_many(path: Path, count: int) -> Path:
    contents = {f"a/{number}": b"x" for number in range(count)} | {"scenario.yaml": SCENARIO}
    manifest = listed(*((name, len(content), content) for name, content in contents.items()))
    return zipped(path, manifest, {f"hall/{name}": content for name, content in contents.items()})


def test_many_files_are_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    waits: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (waits.append(file), fsync(file)))
    scenario = import_scenario(of_many(tmp_path / "x.zip", 3000), tmp_path, say=lambda _: None)
    assert len([*(scenario.folder / "a").iterdir()]) == 3000
    assert len(waits) < 10


KILLED = """
import os, signal, sys
from pathlib import Path
from scenarios import archive
archive._check_scenario = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
archive.import_scenario(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_what_a_kill_leaves_behind_is_removed_by_the_next_import(tmp_path: Path):
    archive, root = of_many(tmp_path / "x.zip", 20), tmp_path / "root"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", KILLED, archive, root], check=False)
        assert done.returncode == -signal.SIGKILL
        assert len([*root.iterdir()]) == 1
    import_scenario(archive, root, say=lambda _: None)
    assert [path.name for path in root.iterdir()] == ["hall"]
    with pytest.raises(ScenarioError, match="exists already"):
        import_scenario(archive, root)
    assert load_scenario(root / "hall").name == "hall"
