"""How much faster is cached, trie-guided decoding than plain full recomputation?

Both run beam search with 10 beams over the same nouns on the same random decoder of upstream's
size (hidden 512, 6 layers), and score 1,000 nouns exhaustively; the plain way is
`tests/novic/reference.py`. Limited by matrix products at batch 64 and by reading the weights at
batch 1. The memory is what one search over 43,000 nouns (FT0) adds at batch 256.

    python -m benchmarks.decode [--nouns 12000] [--json]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.timing import side_by_side
from novic.decoder import PrefixedDecoder
from novic.generate import Decoding, beam_search, score_nouns
from novic.packed import for_inference
from novic.tokens import NounTokens
from novic.trie import build_trie
from tests.novic import reference
from tests.novic.builders import random_decoder, random_nouns, random_vectors

PIECES = 5350
"""Compact vocabulary of upstream's decoder over 12,000 nouns (novic_spec §5.3)."""
LONGEST = 9
WIDTH = 768
SIZES = {"width": WIDTH, "hidden": 512, "feedforward": 128, "layers": 6, "heads": 8}
DECODING = Decoding(beams=10)
BATCHES = (1, 32, 64)
EXHAUSTIVE = 1000
FT0 = 43_000
MEMORY_BATCH = 256


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nouns", type=int, default=12_000, help="size of the vocabulary")
    parser.add_argument("--runs", type=int, default=5, help="counted pairs of runs")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--memory-only", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_only:
        print(added_mib())
        return
    nouns = random_nouns(arguments.nouns, PIECES, LONGEST)
    decoder = random_decoder(nouns, **SIZES)
    result: dict[str, float] = {"max_score_diff": 0.0}
    lines = [searched(nouns, decoder, batch, arguments.runs, result) for batch in BATCHES]
    lines.append(scored(nouns, decoder, result))
    result["ft0_batch256_added_mib"] = measured_apart()
    if not arguments.json:
        print(f"{arguments.nouns} nouns, {torch.get_num_threads()} threads")
        print("                 plain ms  cached ms   ratio")
        print("\n".join(lines))
    print(json.dumps(result))


def searched(
    nouns: NounTokens, decoder: PrefixedDecoder, batch: int, runs: int, result: dict[str, float]
) -> str:
    """Time beam search at a batch size, and compare its scores."""
    fast, trie, table = for_inference(decoder), build_trie(nouns.tokens), tokens_of(nouns)
    vectors = random_vectors(batch, WIDTH, seed=batch)
    found = beam_search(fast, trie, vectors, DECODING)
    _, scores = reference.beam_search(decoder, table, vectors, DECODING)
    note_difference(found.scores, scores.sort(dim=1, descending=True).values, result)
    plain_s, fast_s, ratio = side_by_side(
        lambda: reference.beam_search(decoder, table, vectors, DECODING),
        lambda: beam_search(fast, trie, vectors, DECODING),
        runs,
    )
    result[f"batch{batch}_ratio"] = round(ratio, 2)
    return line(f"beam 10, batch {batch}", plain_s, fast_s, ratio)


def scored(nouns: NounTokens, decoder: PrefixedDecoder, result: dict[str, float]) -> str:
    """Time the scoring of every noun of a list, one vector, and compare the scores."""
    fast, trie = for_inference(decoder), build_trie(nouns.tokens[:EXHAUSTIVE])
    table = tokens_of(nouns)[:EXHAUSTIVE]
    vectors = random_vectors(1, WIDTH)
    expected = reference.score_nouns(decoder, table, vectors, DECODING)
    note_difference(score_nouns(fast, trie, vectors, DECODING), expected, result)
    plain_s, fast_s, ratio = side_by_side(
        lambda: reference.score_nouns(decoder, table, vectors, DECODING),
        lambda: score_nouns(fast, trie, vectors, DECODING),
        runs=1,
    )
    result["exhaustive_ratio"] = round(ratio, 2)
    return line(f"all of {EXHAUSTIVE} nouns", plain_s, fast_s, ratio)


def note_difference(found: torch.Tensor, expected: torch.Tensor, result: dict[str, float]) -> None:
    """Remember the largest difference of a score."""
    difference = float((found - expected).abs().max())
    result["max_score_diff"] = max(result["max_score_diff"], difference)


def line(what: str, plain_s: float, fast_s: float, ratio: float) -> str:
    """A row of the table."""
    return f"{what:<16} {1e3 * plain_s:>8.1f}  {1e3 * fast_s:>9.1f}  {ratio:>6.1f}"


def tokens_of(nouns: NounTokens) -> torch.Tensor:
    """Compact tokens [N, C]."""
    return torch.from_numpy(nouns.tokens)


def measured_apart() -> float:
    """Memory in a process of its own, so that nothing earlier counts."""
    command = [sys.executable, "-m", "benchmarks.decode", "--memory-only"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def added_mib() -> float:
    """MiB by which one search over FT0's nouns at batch 256 raises the peak memory."""
    nouns = random_nouns(FT0, 6900, LONGEST)
    fast, trie = for_inference(random_decoder(nouns, **SIZES)), build_trie(nouns.tokens)
    vectors = random_vectors(MEMORY_BATCH, WIDTH)
    beam_search(fast, trie, vectors[:1], DECODING)
    # Linux forgets the peak so far when it is told to.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_kib()
    beam_search(fast, trie, vectors, DECODING)
    return round((peak_kib() - before) / 1024, 1)


def peak_kib() -> int:
    """Largest resident memory of this process since the peak was forgotten."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main()
