"""How often are photographs named right that nothing was chosen on?

Debian's `gcompris-qt-data` holds photographs of animals, tools and household things, named by their
files ("hammer3.webp"). They lie in Qt resource files, which are read here. What is compared is what
`benchmarks.naming` compares, on the whole photographs. Three nouns have many pictures (28 fish), so
there are also figures in which every noun counts once, as the mean over its pictures.

    apt-get install gcompris-qt-data
    python -m benchmarks.naming_held_out [--json] [--bundle FOLDER] [--data FOLDER]

Or, without installing: apt-get download gcompris-qt-data; dpkg -x gcompris-qt-data*.deb FOLDER.
"""

import argparse
import io
import json
import re
import struct
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.naming import Answers, Namers
from novic.embedder import Pixels
from novic.model import starter_bundle_path
from novic.vocabulary import canonical

DATA = Path("/")
RESOURCES = "usr/share/gcompris-qt/rcc"
FILES = ("explore_farm_animals.rcc", "explore_world_animals.rcc", "categorization.rcc")
UNNAMED = re.compile("/monuments/|/alphabets/|/numbers/")
"""Folders of single buildings and of letters."""

CALLED = {
    "dragon": "komodo dragon",
    "bulb": "light bulb",
    "blackslate": "blackboard",
    "weighing machine": "scale",
    "plier": "pliers",
    "tweezer": "tweezers",
}
"""Nouns for file names that are not the usual word; settled before any picture was named."""

FOLDER, COMPRESSED, ZSTD = 2, 1, 4
"""Flags of an entry, from Qt's rcc."""


def read_resources(path: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of all files in a Qt resource file (`rcc --binary`), version 1 to 3.

    Raises:
        ValueError: If the file is none, or packs its content with Zstandard.
    """
    data = path.read_bytes()
    if data[:4] != b"qres":
        raise ValueError(f"{path} is no Qt resource file")
    version, tree, contents, names = struct.unpack(">4I", data[4:20])
    size = 14 if version == 1 else 22

    def walk(number: int, folder: PurePosixPath) -> Iterator[tuple[str, bytes]]:
        entry = tree + number * size
        name_at, flags = struct.unpack_from(">IH", data, entry)
        (length,) = struct.unpack_from(">H", data, names + name_at)
        name = data[names + name_at + 6 :][: 2 * length].decode("utf-16-be") if number else ""
        if flags & FOLDER:
            children, first = struct.unpack_from(">II", data, entry + 6)
            for child in range(first, first + children):
                yield from walk(child, folder / name)
            return
        if flags & ZSTD:
            raise ValueError(f"{path}: {folder / name} is packed with Zstandard")
        (content_at,) = struct.unpack_from(">I", data, entry + 10)
        (length,) = struct.unpack_from(">I", data, contents + content_at)
        content = data[contents + content_at + 4 :][:length]
        # Before the compressed bytes stands their size once unpacked.
        yield f"{folder / name}", zlib.decompress(content[4:]) if flags & COMPRESSED else content

    return walk(0, PurePosixPath("/"))


def labelled_noun(path: str, nouns: frozenset[str]) -> str | None:
    """The noun of a file such as "/…/measuringTape3.webp", if the dictionary has it."""
    bare = re.sub(r"\d+$", "", PurePosixPath(path).stem)
    name = canonical(re.sub("([a-z])([A-Z])", r"\1 \2", bare).replace("_", " "))
    name = CALLED.get(name, name)
    forms = (name, name.removesuffix("s"), name.replace(" ", ""))
    return next((form for form in forms if form in nouns), None)


def find_photographs(data: Path, nouns: frozenset[str]) -> list[tuple[Pixels, str]]:
    """All photographs whose noun the dictionary has, on white where they are transparent."""
    found = []
    for file in FILES:
        for path, content in read_resources(data / RESOURCES / file):
            noun = labelled_noun(path, nouns)
            if path.endswith(".webp") and noun and not UNNAMED.search(path):
                picture = Image.open(io.BytesIO(content)).convert("RGBA")
                canvas = Image.new("RGBA", picture.size, "white")
                canvas.alpha_composite(picture)
                found.append((np.asarray(canvas.convert("RGB")), noun))
    return found


def score(
    ranked: Sequence[Sequence[list[str]]], rights: Sequence[Answers], nouns: Sequence[str]
) -> dict[str, float]:
    """Shares of pictures named exactly right, and means over the nouns of these shares."""
    counts = {noun: nouns.count(noun) for noun in nouns}
    found = {}
    for top in (1, 5):
        hits = [
            any(not right.exact.isdisjoint(words) for words in row[:top])
            for row, right in zip(ranked, rights, strict=True)
        ]
        by_noun = sum(hit / counts[noun] for hit, noun in zip(hits, nouns, strict=True))
        found[f"top{top}"] = round(sum(hits) / len(hits), 4)
        found[f"nouns_top{top}"] = round(by_noun / len(counts), 4)
    return found


def measure(bundle: Path, data: Path) -> dict:
    """Name all photographs."""
    if not (data / RESOURCES / FILES[0]).is_file():
        sys.exit(f"no photographs in {data / RESOURCES}: apt-get install gcompris-qt-data")
    namers = Namers(bundle)
    photographs = find_photographs(data, frozenset(namers.nouns))
    nouns = [noun for _, noun in photographs]
    rights = [namers.right(noun) for noun in nouns]
    named = namers.name([image for image, _ in photographs])
    results = {name: score(ranked, rights, nouns) for name, ranked in named.items()}
    own, plain = results["ours"], results["argmax"]
    return {
        "photographs": len(nouns),
        "nouns": len(set(nouns)),
        **{f"ratio_{key}": round(own[key] / plain[key], 3) for key in own},
        "results": results,
    }


def show(result: dict, console: Console) -> None:
    """Print the table."""
    title = f"{result['photographs']} photographs of {result['nouns']} nouns: top-1 / top-5"
    table = Table(title=title)
    for column in ("namer", "pictures", "nouns"):
        table.add_column(column)
    for name, found in result["results"].items():
        pictures = f"{found['top1']:.3f} / {found['top5']:.3f}"
        table.add_row(name, pictures, f"{found['nouns_top1']:.3f} / {found['nouns_top5']:.3f}")
    console.print(table)


def main() -> None:
    """Measure, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print only the JSON object")
    parser.add_argument("--bundle", type=Path, default=starter_bundle_path())
    parser.add_argument("--data", type=Path, default=DATA, help="where the package was unpacked")
    options = parser.parse_args()
    result = measure(options.bundle, options.data)
    if not options.json:
        show(result, Console())
    print(json.dumps(result))


if __name__ == "__main__":
    main()
