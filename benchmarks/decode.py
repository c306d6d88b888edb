"""How much faster is cached, trie-guided decoding than plain full recomputation?

Both run beam search with 10 beams over the same nouns on the same random decoder of upstream's
size (hidden 512, 6 layers); the plain one is `tests/novic/reference.py`. Limited by matrix products
at batch 32 and by reading the weights at batch 1.

    python -m benchmarks.decode [--json]
"""

import argparse
import json

import torch

from benchmarks.timing import side_by_side
from novic.generate import Decoding, beam_search
from novic.packed import for_inference
from novic.trie import build_trie
from tests.novic import reference
from tests.novic.builders import random_decoder, random_nouns, random_vectors

NOUNS = 6000
PIECES = 3000
LONGEST = 8
WIDTH = 512
DECODING = Decoding(beams=10)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="counted pairs of runs")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    nouns = random_nouns(NOUNS, PIECES, LONGEST)
    sizes = {"width": WIDTH, "hidden": 512, "feedforward": 128, "layers": 6, "heads": 8}
    decoder = random_decoder(nouns, **sizes)
    fast = for_inference(decoder)
    trie, table = build_trie(nouns.tokens), torch.from_numpy(nouns.tokens)
    result: dict[str, float] = {"max_score_diff": 0.0}
    lines = []
    for batch in (1, 32):
        vectors = random_vectors(batch, WIDTH, seed=batch)
        found = beam_search(fast, trie, vectors, DECODING)
        _, scores = reference.beam_search(decoder, table, vectors, DECODING)
        difference = (found.scores - scores.sort(dim=1, descending=True).values).abs().max()
        result["max_score_diff"] = max(result["max_score_diff"], float(difference))
        plain_s, fast_s, ratio = side_by_side(
            lambda v=vectors: reference.beam_search(decoder, table, v, DECODING),
            lambda v=vectors: beam_search(fast, trie, v, DECODING),
            arguments.runs,
        )
        result[f"batch{batch}_ratio"] = round(ratio, 2)
        lines.append(f"{batch:>5}  {1e3 * plain_s:>9.1f}  {1e3 * fast_s:>9.1f}  {ratio:>6.1f}")
    if not arguments.json:
        print(f"beam 10 over {NOUNS} nouns, {torch.get_num_threads()} threads")
        print("batch   plain ms  cached ms   ratio")
        print("\n".join(lines))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
