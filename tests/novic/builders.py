"""Small decoders and noun lists for tests and benchmarks."""

import numpy as np
import torch

from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.tokens import NounTokens


def random_nouns(count: int, vocabulary: int, longest: int, seed: int = 0) -> NounTokens:
    """Distinct random nouns that share beginnings, as real word pieces do."""
    draw = np.random.default_rng(seed)
    share = np.arange(1, vocabulary) ** -0.7
    share /= share.sum()
    rows: set[tuple[int, ...]] = set()
    while len(rows) < count:
        length = min(int(draw.geometric(0.45)), longest - 1)
        rows.add(tuple(int(i) for i in draw.choice(np.arange(1, vocabulary), length, p=share)))
    tokens = np.zeros((count, longest), dtype=np.int64)
    for number, row in enumerate(sorted(rows)):
        tokens[number, : len(row)] = row
    nouns = tuple(" ".join(f"t{piece}" for piece in row if piece) for row in tokens)
    return NounTokens(nouns, tokens, np.arange(vocabulary))


def random_decoder(tokens: NounTokens, seed: int = 0, **sizes: int) -> PrefixedDecoder:
    """A decoder with balanced random weights, ready to decode."""
    torch.manual_seed(seed)
    config = DecoderConfig(
        **{"width": 16, "hidden": 32, "feedforward": 16, "layers": 2, "heads": 4, **sizes},
        vocabulary=tokens.vocabulary,
        max_tokens=tokens.max_tokens,
    )
    return PrefixedDecoder(config).eval()


def random_vectors(count: int, width: int, seed: int = 0) -> torch.Tensor:
    """Unit vectors [count, width]."""
    draw = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(count, width, generator=draw), dim=1)
