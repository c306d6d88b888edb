"""Samples that are never trained on, and what the decoder makes of them.

Which samples are held out follows from the vectors alone. So a text that the data set repeats is
held out in all of its places, whatever the order, and a resumed run holds out the same.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from novic.decoder import PrefixedDecoder
from novic.generate import Decoding, beam_search
from novic.trie import Trie
from training.batches import NO_TARGET, Batch, BatchSource
from training.noise import NoiseConfig, add_noise
from training.step import lay_out

MOST = 1000
"""Samples that are measured: shares are then known within 3 points."""
BATCH = 256
"""Samples measured at once."""
READ = 64
"""Samples read at once; an incomplete last batch is not seen, which matters for a small cache."""

_MIXERS = torch.from_numpy(np.random.default_rng(0).integers(1, 2**62, 9) * 2 + 1)
"""Odd numbers that spread the bits of eight components."""


def held_out_rows(vectors: Tensor, share: float) -> Tensor:
    """Which vectors [B, F] are held out; bool [B].

    Args:
        vectors: On the CPU, float32.
        share: Of all distinct vectors, 0 to 1.
    """
    bits = vectors[:, :8].contiguous().view(torch.int32).long()
    mixed = (bits * _MIXERS[: bits.shape[1]]).sum(dim=1)
    mixed = (mixed ^ (mixed >> 31)) * _MIXERS[8]
    return ((mixed >> 30) & 0xFFFFFF) < share * 2**24


def chosen(batch: Batch, rows: Tensor) -> Batch:
    """Some samples of a batch; `rows` is bool [B]."""
    return Batch(batch.vectors[rows], batch.targets[rows], batch.weights[rows])


def collect_held_out(source: BatchSource, share: float, most: int = MOST) -> Batch | None:
    """The first samples of a data set that are held out; None if there are none.

    Args:
        source: The data set; only as much of it is read as is needed.
        share: Of the samples that are held out.
        most: How many are wanted.
    """
    found, count = [], 0
    for batch in source.batches(min(READ, len(source)), seed=0, epoch=0):
        part = chosen(batch, held_out_rows(batch.vectors, share))
        found.append(part)
        count += len(part.vectors)
        if count >= most:
            break
    if not count:
        return None
    return Batch(
        torch.cat([part.vectors for part in found])[:most],
        torch.cat([part.targets for part in found])[:most],
        torch.cat([part.weights for part in found])[:most],
    )


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares of what is right, 0 to 1."""

    token_top1: float
    """Tokens with the largest logit given the right ones before them, of all targets, ends
    included. With several targets it cannot reach 1: only one first token is the largest."""
    noun_top1: float
    """Samples whose noun, decoded greedily along the trie, is one of their targets."""


def measure(
    decoder: PrefixedDecoder, trie: Trie, nouns: Tensor, samples: Batch, noise: NoiseConfig
) -> Accuracy:
    """Measure a decoder; always with the same noise, and in eval mode while it lasts.

    Args:
        decoder: On any device.
        trie: All nouns, on the decoder's device.
        nouns: Compact tokens of all nouns [N, C], on the CPU.
        samples: What to measure.
        noise: Put on the vectors before.
    """
    device = decoder.token_table.weight.device
    vectors = add_noise(samples.vectors, noise, Generator().manual_seed(1))
    training = decoder.training
    decoder.eval()
    tokens = right_tokens = right_nouns = 0
    for at in range(0, len(vectors), BATCH):
        part = slice(at, at + BATCH)
        batch = Batch(vectors[part].to(device), samples.targets[part], samples.weights[part])
        known, right = _right_tokens(decoder, batch, nouns)
        tokens, right_tokens = tokens + known, right_tokens + right
        found = beam_search(decoder, trie, batch.vectors, Decoding(beams=1)).nouns.cpu()
        right_nouns += int(((found == batch.targets) & (found != NO_TARGET)).any(dim=1).sum())
    decoder.train(training)
    return Accuracy(round(right_tokens / tokens, 4), round(right_nouns / len(vectors), 4))


@torch.no_grad()
def _right_tokens(decoder: PrefixedDecoder, batch: Batch, nouns: Tensor) -> tuple[int, int]:
    """Tokens of a batch's targets, and how many of them have the largest logit."""
    targets = lay_out(batch, nouns).to(batch.vectors.device)
    first, following = decoder.target_states(
        batch.vectors, targets.said, targets.sample, targets.groups
    )
    said_first = decoder.logits(first).argmax(dim=1, keepdim=True)
    right = ((said_first == targets.first) & (targets.first_weights > 0)).sum()
    right += (decoder.logits(following).argmax(dim=1, keepdim=True) == targets.following).sum()
    return targets.token_count, int(right)
