"""How small is a cache against version 1, and how busy does making one keep the embedder?

Nouns are taken evenly from the synthetic dictionary in `tests/data`, put into the shipped prompts,
and embedded by the starter embedder with `nomaly cache nouns`. Then the same texts go through the
embedder alone, in turn with further caches. The time of a cache is all of it: reading the
dictionary, making texts unique, embedding, writing, checksums; only the embedder is built before.

Sizes are those of real files of the same samples in both formats. Multisets repeat fewer texts;
their sizes, which do not depend on what the vectors are, are measured with drawn ones.

    python -m benchmarks.cache [--nouns N] [--runs N] [--json]
"""

import argparse
import gzip
import json
import statistics
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.timing import seconds
from novic.embedder import Embedder
from novic.embedders.starter import StarterEmbedder
from scenarios.dictionary import read_dictionary
from tests.training.hashed import HashedEmbedder
from training.caches.joining import merge_caches
from training.caches.making import NounSource, cache_nouns
from training.caches.output import Making
from training.caches.shards import VectorKind
from training.texts.prompts import noun_captions, read_prompts

DICTIONARY = Path(__file__).parents[1] / "tests" / "data" / "object_nouns.json.gz"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nouns", type=int, default=40, help="nouns that are embedded")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        source = NounSource(some_nouns(Path(folder), arguments.nouns))
        embedder = StarterEmbedder()
        result = {
            **sizes(Path(folder), source, embedder, "bytes_ratio"),
            **sizes(
                Path(folder),
                replace(source, multiset=(1, 1, 1)),
                HashedEmbedder(embedder.width),
                "multiset_bytes_ratio",
            ),
            **busy(Path(folder), source, embedder, arguments.runs),
        }
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:<28} {value:>10,}")
    print(json.dumps(result))


def some_nouns(folder: Path, count: int) -> Path:
    """A dictionary of nouns from all over the large one."""
    entries = json.loads(gzip.decompress(DICTIONARY.read_bytes()))
    path = folder / "object_nouns.json"
    path.write_text(json.dumps(entries[:: max(len(entries) // count, 1)][:count]), "utf-8")
    return path


def sizes(
    folder: Path, source: NounSource, embedder: Embedder, name: str
) -> dict[str, float | int]:
    """Bytes of Nomaly's cache for each byte of the version-1 file of the same samples."""
    own, v1 = folder / name, folder / f"{name}.bin"
    made = cache_nouns(source, lambda: embedder, making(own))
    there = merge_caches([own], replace(making(v1), format="v1"), lambda: embedder)
    half = merge_caches([own], making(folder / f"{name}-float16", "float16"))
    if not made["samples"] == there["samples"] == half["samples"]:
        raise RuntimeError(f"{name}: the caches do not hold the same samples")
    return {
        name: round(made["bytes"] / there["bytes"], 4),
        f"{name}_float16": round(half["bytes"] / there["bytes"], 4),
        f"{name.removesuffix('bytes_ratio')}samples": made["samples"],
        f"{name.removesuffix('bytes_ratio')}texts": made["texts"],
    }


def busy(folder: Path, source: NounSource, embedder: Embedder, runs: int) -> dict[str, float]:
    """The embedder's rate inside `cache nouns` as a share of its rate alone, on the same texts."""
    captions = noun_captions(read_dictionary(source.dictionary), read_prompts())
    texts = list({embedder.clean_text(caption.text): caption.text for caption in captions}.values())
    overwritten = replace(making(folder / "again"), overwrite=True)

    def alone() -> object:
        return embedder.embed_texts(texts)

    def inside() -> object:
        return cache_nouns(source, lambda: embedder, overwritten)

    embedder.embed_texts(texts[:256])
    # Each goes first every other time, so that a machine that slows down slows both.
    pairs = []
    for run in range(runs):
        if run % 2:
            pairs.append((seconds(alone), seconds(inside)))
        else:
            pairs.append((seconds(inside), seconds(alone))[::-1])
    return {
        "embedder_busy": round(statistics.median(a / b for a, b in pairs), 4),
        "texts_per_s_alone": round(len(texts) / statistics.median(a for a, _ in pairs), 1),
        "texts_per_s_inside": round(len(texts) / statistics.median(b for _, b in pairs), 1),
    }


def making(out: Path, vectors: VectorKind | None = None) -> Making:
    """How a cache is made here: quietly, and as the command does by default."""
    return Making(out, lambda *_: None, vectors=vectors)


if __name__ == "__main__":
    main()
