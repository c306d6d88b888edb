"""Free generation: the best token sequences, whether or not they are nouns of any list.

Upstream calls it `gn`. It shows what the decoder would say if nothing held it, invented phrases
("cake cake") included. A sequence holds at most C - 1 tokens and always ends with END.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from novic.decoder import PrefixedDecoder
from novic.generate import MOST_ROWS, Decoding
from novic.tokens import END


@dataclass(frozen=True, slots=True, eq=False)
class FreeTexts:
    """The best token sequences of each of B vectors, best first."""

    tokens: Tensor
    """[B, K, C], int64, END from the end of each sequence on."""
    scores: Tensor
    """[B, K], float32; -inf where there is no sequence."""


@torch.inference_mode()
def free_search(decoder: PrefixedDecoder, embeddings: Tensor, decoding: Decoding) -> FreeTexts:
    """Beam search over everything that the decoder can say.

    Args:
        decoder: In eval mode.
        embeddings: Vectors [B, F] on the decoder's device.
        decoding: Number of beams, temperature and length exponent; `renormalise` plays no part.

    Returns:
        `decoding.beams` sequences for each vector.
    """
    at_once = max(MOST_ROWS // decoding.beams, 1)
    found = [_search(decoder, chunk, decoding) for chunk in embeddings.split(at_once)]
    return FreeTexts(torch.cat([f.tokens for f in found]), torch.cat([f.scores for f in found]))


def _search(decoder: PrefixedDecoder, embeddings: Tensor, decoding: Decoding) -> FreeTexts:
    count, k, most = len(embeddings), decoding.beams, decoder.config.max_tokens
    device = embeddings.device
    state, cache = decoder.start(embeddings)
    # Live hypotheses, sorted by vector; what is finished keeps its tokens in `tokens`.
    vector = torch.arange(count, device=device)
    said = torch.full((count, most), END, device=device)
    logp = torch.zeros(count, device=device)
    tokens = torch.full((count, k, most), END, device=device)
    scores = torch.full((count, k), -torch.inf, device=device)
    for step in range(most):
        if not len(vector):
            break
        new = _next(decoder, state, decoding.temperature, first=step == 0, last=step == most - 1)
        best, token = new.topk(min(k, new.shape[1]), dim=1)
        total = (logp[:, None] + best).flatten()
        row = torch.arange(len(vector), device=device).repeat_interleave(best.shape[1])
        longer = said[row]
        longer[:, step] = token.flatten()
        every = torch.cat([scores.flatten(), total * (step + 1) ** -decoding.length_alpha])
        owner = torch.cat([torch.arange(count, device=device).repeat_interleave(k), vector[row]])
        picked = _best_of_each(owner, every, count, k)
        tokens = torch.cat([tokens.flatten(0, 1), longer])[picked].clamp(min=END)
        scores = every[picked].masked_fill(picked < 0, -torch.inf)
        candidate = picked - count * k
        live = (candidate >= 0) & (tokens[:, :, step] != END) & (scores > -torch.inf)
        scores = scores.masked_fill(live, -torch.inf)
        chosen = candidate[live]
        vector, said, logp = vector[row[chosen]], longer[chosen], total[chosen]
        if len(chosen):
            state, cache = decoder.advance(said[:, step], cache.of(row[chosen]))
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    return FreeTexts(tokens.gather(1, order[..., None].expand_as(tokens)), scores)


def _next(
    decoder: PrefixedDecoder, state: Tensor, temperature: float, *, first: bool, last: bool
) -> Tensor:
    """Log probabilities of the next token [R, V]; END cannot be first and must be last."""
    logp = (decoder.logits(state).float() / temperature).log_softmax(dim=1)
    if first:
        logp[:, END] = -torch.inf
    if last:
        logp[:, END + 1 :] = -torch.inf
    return logp


def _best_of_each(owner: Tensor, scores: Tensor, count: int, k: int) -> Tensor:
    """Which entries are the k best of each owner: entry numbers [count, k], -1 for none."""
    order = torch.argsort(scores, descending=True, stable=True)
    order = order[torch.argsort(owner[order], stable=True)]
    sizes = torch.bincount(owner, minlength=count)
    start = torch.cumsum(sizes, 0) - sizes
    place = torch.arange(k, device=owner.device)
    inside = place < sizes[:, None]
    return torch.where(inside, order[(start[:, None] + place).clamp(max=len(order) - 1)], -1)
