"""How much faster is a training step that computes real targets only than upstream's step?

Both train the same decoder of upstream's size on the same batch with the same optimiser, dropout
on. Upstream's step pads every sample to M = 3 targets and every target to the longest of the batch,
runs the prefix for each target and computes logits at every position (novic_spec §5.5, §11.2); it
is written plainly here, without upstream's mask arithmetic. Ours is `training.step`, its layout of
the batch included. The data has NOVIC's shape: 1.78 targets a sample, and nouns of 1 to 9 tokens,
3.0 on average, before their end.

`ratio` compares both in float32, `bfloat16_ratio` ours in bfloat16 with upstream's in float32 (it
trains in float32). The losses of both are compared with dropout off. Limited by matrix products.

    python -m benchmarks.train_step [--json]
"""

import argparse
import json
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.timing import side_by_side
from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.tokens import END
from training.batches import NO_TARGET, Batch
from training.step import backward, build_optimiser, lay_out, update

WIDTH, VOCABULARY, NOUNS = 768, 5350, 11_897
MOST_TARGETS = 3
TARGETS_SHARE = (0.46, 0.30, 0.24)
"""Of samples with 1, 2 and 3 targets: M1 + M2 + M3 + captions of FT0 (novic_spec §3.1)."""
LENGTH_SHARE = (0.22, 0.27, 0.20, 0.13, 0.08, 0.05, 0.03, 0.015, 0.005)
"""Of nouns with 1 to 9 tokens."""


def some_nouns(draw: np.random.Generator) -> Tensor:
    """Tokens of nouns [N, 10]."""
    tokens = draw.integers(1, VOCABULARY, (NOUNS, len(LENGTH_SHARE) + 1))
    lengths = draw.choice(len(LENGTH_SHARE), NOUNS, p=LENGTH_SHARE) + 1
    tokens[np.arange(tokens.shape[1]) >= lengths[:, None]] = END
    return torch.from_numpy(tokens)


def some_batch(samples: int, draw: np.random.Generator) -> Batch:
    """Random unit vectors, each with one to three random nouns of equal weight."""
    counts = draw.choice(MOST_TARGETS, samples, p=TARGETS_SHARE) + 1
    targets = draw.integers(0, NOUNS, (samples, MOST_TARGETS))
    targets[np.arange(MOST_TARGETS) >= counts[:, None]] = NO_TARGET
    weights = (targets != NO_TARGET) / counts[:, None]
    vectors = torch.from_numpy(draw.standard_normal((samples, WIDTH), dtype=np.float32))
    return Batch(
        functional.normalize(vectors, dim=1),
        torch.from_numpy(targets),
        torch.from_numpy(weights).float(),
    )


def upstream_loss(decoder: PrefixedDecoder, batch: Batch, nouns: Tensor) -> Tensor:
    """Weighted loss over padded rows, and the count of right tokens that upstream also takes."""
    rows = nouns[batch.targets.clamp(min=0)].flatten(0, 1)
    weights = batch.weights.flatten()
    lengths = (rows != END).sum(dim=1) + 1
    rows = rows[:, : int(lengths[weights > 0].max())]
    vectors = batch.vectors.repeat_interleave(batch.targets.shape[1], dim=0)
    logits = decoder(vectors, rows)
    padding = torch.arange(rows.shape[1]) >= lengths[:, None]
    wanted = rows.masked_fill(padding | (weights == 0)[:, None], -100)
    entropy = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none")
    (logits.argmax(dim=2) == wanted).sum().item()
    return (entropy.view_as(rows).sum(dim=1) * weights).sum() / (weights * lengths).sum()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=512, help="samples of a batch")
    parser.add_argument("--runs", type=int, default=3, help="counted pairs of runs")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    draw = np.random.default_rng(0)
    nouns, batch = some_nouns(draw), some_batch(arguments.batch, draw)
    torch.manual_seed(0)
    decoder = PrefixedDecoder(DecoderConfig(WIDTH, VOCABULARY, nouns.shape[1]))
    optimiser = build_optimiser(decoder, 1.5e-3, 0.1)

    def finish() -> None:
        # A rate of 0: both sides see the same weights in every run, at the same cost.
        update(decoder, optimiser, 0.0, 1.0)

    def upstream() -> float:
        loss = upstream_loss(decoder, batch, nouns)
        loss.backward()
        finish()
        return float(loss.detach())

    def ours(*, bfloat16: bool) -> float:
        outcome = backward(decoder, batch.vectors, lay_out(batch, nouns), bfloat16=bfloat16)
        finish()
        return float(outcome.loss)

    def float32() -> float:
        return ours(bfloat16=False)

    def half() -> float:
        return ours(bfloat16=True)

    decoder.eval()
    difference = {name: abs(upstream() - step()) for name, step in (("f", float32), ("h", half))}
    decoder.train()
    targets = lay_out(batch, nouns).count
    sides: dict[str, Callable[[], float]] = {"float32": float32, "bfloat16": half}
    timed = {name: side_by_side(upstream, step, arguments.runs) for name, step in sides.items()}
    if not arguments.json:
        print(f"batch {arguments.batch}, {targets} targets, {torch.get_num_threads()} threads")
        print("ours in    upstream ms   ours ms   ratio   targets/s")
        for name, (slow_s, fast_s, ratio) in timed.items():
            rate = targets / fast_s
            print(
                f"{name:<9} {1e3 * slow_s:>12.0f} {1e3 * fast_s:>9.0f} {ratio:>7.1f} {rate:>11.0f}"
            )
    print(
        json.dumps(
            {
                "ratio": round(timed["float32"][2], 2),
                "targets_per_s": round(targets / timed["float32"][1], 1),
                "bfloat16_ratio": round(timed["bfloat16"][2], 2),
                "bfloat16_targets_per_s": round(targets / timed["bfloat16"][1], 1),
                "upstream_targets_per_s": round(targets / timed["float32"][0], 1),
                "loss_difference": difference["f"],
                "bfloat16_loss_difference": difference["h"],
            }
        )
    )


if __name__ == "__main__":
    main()
