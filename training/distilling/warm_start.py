"""Starts a decoder where nearest-noun search ends, instead of from chance.

The last prefix state begins as the vector itself, and the output row of every token that begins
nouns as the mean text vector of those nouns. With the layers' own small start, the first token is
then already a softmax over text similarity, and training only has to learn how pictures differ.
"""

import torch
from torch import Tensor
from torch.nn import functional

from novic.decoder import PrefixedDecoder

SHARPNESS = 14.0
"""Length of the token rows: logits start as about this times the cosine. The balanced start of
novic_spec §5.4 gives rows of sqrt(H / 2), 13.9 for 384."""


@torch.no_grad()
def warm_start(decoder: PrefixedDecoder, tokens: Tensor, noun_vectors: Tensor) -> None:
    """Set a fresh decoder's input and output weights from text vectors, in place.

    Args:
        decoder: Its hidden size must be at least the vectors' width.
        tokens: Compact tokens of the nouns [N, C].
        noun_vectors: Text vectors of the nouns [N, F].

    Raises:
        ValueError: If the hidden size is smaller than the vectors' width.
    """
    size = decoder.config
    if size.hidden < size.width:
        raise ValueError(
            f"hidden size {size.hidden} is smaller than the vectors' width {size.width}: "
            "a warm start needs room for the whole vector"
        )
    last = decoder.prefix_in.weight[-size.hidden :]
    last.zero_()
    last[: size.width] = torch.eye(size.width, device=last.device) * size.width**0.5
    decoder.position_table.weight[size.prefix - 1].zero_()
    centred = functional.normalize(noun_vectors - noun_vectors.mean(dim=0), dim=1)
    table = decoder.token_table.weight
    sums = torch.zeros_like(table)
    sums[:, : size.width].index_add_(0, tokens[:, 0], centred)
    begins = tokens[:, 0].unique()
    table[begins] = SHARPNESS * functional.normalize(sums[begins], dim=1)
