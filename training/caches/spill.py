"""Captions sorted into random parts on the disk: any number is made unique in little memory.

A caption goes to the part that a hash of its text says: all that share a text meet in one part,
and every part is a random sample of the data set.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from training.caches.cache import CacheError, json_bytes, write_fault, write_file
from training.texts.samples import Caption

PARTS = 256
TOGETHER = 200_000
"""Captions held in memory at once, if a part has not more."""
_DONE = "done.json"


@dataclass(frozen=True, slots=True)
class SpillCounts:
    """What a spill holds."""

    parts: tuple[int, ...]
    """Captions in each part, repeated texts counted."""
    samples: int
    max_targets: int
    """M."""

    @property
    def captions(self) -> int:
        """Captions in all parts."""
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class UniqueText:
    """A text, and how many samples of it have which target nouns."""

    text: str
    counts: dict[tuple[int, ...], int]


def text_hash(text: str) -> int:
    """64 bits that decide where a text goes; the same on every machine."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def spill(
    captions: Iterable[Caption],
    folder: Path,
    clean: Callable[[str], str],
    nouns: int,
    tell: Callable[[int], None],
) -> SpillCounts:
    """Write captions into their parts, unless that was done before.

    Args:
        captions: In any order, always the same.
        folder: Where the parts go; what an interrupted spill left there is removed.
        clean: The form of a text that its embedder sees; texts with one form are one text.
        nouns: How many target nouns there are.
        tell: Called now and then with the number of samples written.

    Raises:
        CacheError: If there are no captions, one has no or unknown targets, or the disk is full.
    """
    done = folder / _DONE
    if done.is_file():
        known = json.loads(done.read_text(encoding="utf-8"))
        return SpillCounts(tuple(known["parts"]), known["samples"], known["max_targets"])
    shutil.rmtree(folder, ignore_errors=True)
    parts: list[list[str]] = [[] for _ in range(PARTS)]
    sizes = [0] * PARTS
    samples = waiting = most = 0
    try:
        folder.mkdir()
        for caption in captions:
            _check(caption, nouns)
            part = text_hash(clean(caption.text)) % PARTS
            parts[part].append(json.dumps([caption.text, caption.targets, caption.count]))
            sizes[part] += 1
            samples += caption.count
            most = max(most, len(caption.targets))
            waiting += 1
            if waiting == TOGETHER:
                _append(folder, parts)
                waiting = 0
                tell(samples)
        _append(folder, parts)
    except OSError as error:
        raise write_fault(folder, error) from error
    if not samples:
        raise CacheError("there are no captions to embed: the dictionary or the prompts are empty")
    counts = SpillCounts(tuple(sizes), samples, most)
    write_file(done, json_bytes(asdict(counts)))
    return counts


def groups(counts: SpillCounts) -> Iterator[range]:
    """Parts that are read together: few enough for memory, many enough for whole shards."""
    first = held = 0
    for part, size in enumerate(counts.parts):
        if held and held + size > TOGETHER:
            yield range(first, part)
            first, held = part, 0
        held += size
    yield range(first, PARTS)


def read_parts(folder: Path, parts: range, clean: Callable[[str], str]) -> list[UniqueText]:
    """The unique texts of some parts, in the order of their hashes, which is a random one."""
    found: dict[str, UniqueText] = {}
    for part in parts:
        file = folder / f"{part:03d}.jsonl"
        if not file.is_file():
            continue
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                text, targets, count = json.loads(line)
                counts = found.setdefault(clean(text), UniqueText(text, {})).counts
                key = tuple(targets)
                counts[key] = counts.get(key, 0) + count
    return [found[text] for text in sorted(found, key=lambda text: (text_hash(text), text))]


def _append(folder: Path, parts: list[list[str]]) -> None:
    for number, lines in enumerate(parts):
        if lines:
            with (folder / f"{number:03d}.jsonl").open("a", encoding="utf-8") as file:
                file.write("\n".join([*lines, ""]))
            lines.clear()


def _check(caption: Caption, nouns: int) -> None:
    if not caption.targets or not all(0 <= target < nouns for target in caption.targets):
        raise CacheError(
            f"caption '{caption.text}': its targets {list(caption.targets)} must be numbers of the "
            f"{nouns} nouns, from 0, and at least one"
        )
    if caption.count < 1:
        raise CacheError(f"caption '{caption.text}': its count {caption.count} must be 1 or more")
