"""Makes the part of WordNet 3.0 that Nomaly reads, as one small archive with WordNet's licence.

    python -m scenarios.wordnet_packing [FOLDER]

FOLDER holds WordNet's own files, by default Debian's wordnet-base. What stays: all noun meanings
with their words, glosses and what they are kinds of, all uses in tagged text, irregular forms, and
which words are verbs. What goes: other pointers, other parts of speech. The files keep WordNet's
format, so that `scenarios.wordnet` reads both: 28 MB become 3.8.
"""

import argparse
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from scenarios.wordnet import SHIPPED, Files, data_lines

DEBIAN = Path("/usr/share/wordnet")
LICENCE = "LICENSE.WordNet"
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""Of the archive's files: the same content makes the same bytes."""


def main() -> None:
    """Make the archive."""
    parser = argparse.ArgumentParser(description="Pack what Nomaly reads of WordNet 3.0.")
    parser.add_argument("folder", type=Path, nargs="?", default=DEBIAN)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    args = parser.parse_args()
    pack(args.folder, SHIPPED.with_name(LICENCE), args.out)


def pack(folder: Path, licence: Path, out: Path) -> None:
    """Write the archive.

    Args:
        folder: WordNet's files.
        licence: Its notice, which must go with every copy.
        out: The archive.

    Raises:
        OSError: If a file cannot be read or written.
    """
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        _add(archive, LICENCE, licence.read_text("utf-8"))
        for name, text in kept(folder).items():
            _add(archive, name, text)


def kept(folder: Files) -> Mapping[str, str]:
    """What is kept of each file, by name."""
    return {
        name: "".join(f"{shorten(line)}\n" for line in data_lines(folder / name))
        for name, shorten in _SHORTENED.items()
    }


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    info = zipfile.ZipInfo(name, FIRST_DAY)
    info.compress_type = zipfile.ZIP_LZMA
    archive.writestr(info, text)


def _meaning(line: str) -> str:
    """A line of data.noun with the pointers to what it is a kind or an instance of."""
    facts, _, gloss = line.partition(" | ")
    fields = facts.split()
    words_end = 4 + 2 * int(fields[3], 16)
    pointers = fields[words_end + 1 :]
    quads = [pointers[at : at + 4] for at in range(0, len(pointers), 4)]
    ups = [quad for quad in quads if quad[0] in ("@", "@i")]
    told = [*fields[:words_end], f"{len(ups):03d}", *(field for quad in ups for field in quad)]
    return f"{' '.join(told)} | {gloss.strip()}"


def _senses(line: str) -> str:
    """A line of index.noun without its kinds of pointers."""
    fields = line.split()
    count = fields[2]
    return " ".join([fields[0], "n", count, "0", count, "0", *fields[-int(count) :]])


def _whole(line: str) -> str:
    return line.strip()


def _word(line: str) -> str:
    return line.split()[0]


_SHORTENED: Mapping[str, Callable[[str], str]] = {
    "data.noun": _meaning,
    "index.noun": _senses,
    "cntlist.rev": _whole,
    "index.verb": _word,
    "verb.exc": _whole,
    "noun.exc": _whole,
}

if __name__ == "__main__":
    main()
