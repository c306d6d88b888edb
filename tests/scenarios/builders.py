"""A small dictionary with the spellings that make trouble, and a large synthetic one."""

import gzip
import tempfile
from functools import cache
from pathlib import Path

from scenarios.dictionary import NounEntry, ObjectDictionary, read_dictionary

_LARGE = Path(__file__).parents[1] / "data" / "object_nouns.json.gz"

AIRPLANE = NounEntry(
    20431,
    "airplane",
    "airplane",
    ("aeroplane", "airplane"),
    ("aeroplanes", "airplanes"),
    (5, 5),
    (1, 4),
)
DEER = NounEntry(7, "deer", "deer", ("deer",), ("deer",), (7,), (7,))
GLASS = NounEntry(11, "glass", "glass", ("glass",), ("glasses",), (8,), (4,))
GLASSES = NounEntry(12, "glasses", "glasses", (), ("glasses",), (), (6,))
SUV = NounEntry(3, "suv", "SUV", ("S.U.V.", "SUV", "suv"), (), (5, 5, 5), ())
X_RAY = NounEntry(0, "x ray machine", "X-ray machine", ("X-ray machine",), (), (1,), ())


def small_dictionary() -> ObjectDictionary:
    return ObjectDictionary((AIRPLANE, DEER, GLASS, GLASSES, SUV, X_RAY))


def unpack_large_dictionary(folder: Path) -> Path:
    path = folder / "object_nouns.json"
    path.write_bytes(gzip.decompress(_LARGE.read_bytes()))
    return path


@cache
def large_dictionary() -> ObjectDictionary:
    with tempfile.TemporaryDirectory() as folder:
        return read_dictionary(unpack_large_dictionary(Path(folder)))
