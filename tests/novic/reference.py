"""A plain, slow, obviously right decoder: full recomputation, dense guiding, every step run.

Nothing here knows of caches or tries. The tests compare the fast decoder with it, and
`benchmarks/decode.py` times both.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.generate import Decoding


def allowed_tokens(said: Tensor, nouns: Tensor, vocabulary: int) -> Tensor:
    """Which tokens continue some noun that begins with `said`: bool [R, V].

    Args:
        said: Tokens so far [R, t].
        nouns: Tokens of all nouns [N, C].
    """
    length = said.shape[1]
    fits = (said[:, None, :] == nouns[None, :, :length]).all(dim=2)  # [R, N]
    allowed = torch.zeros(len(said), vocabulary)
    allowed.index_add_(1, nouns[:, length], fits.float())
    return allowed > 0


def sayable_tokens(said: Tensor, nouns: Tensor | None, config: DecoderConfig) -> Tensor:
    """The same, or whatever can be said at all where there are no nouns to hold to."""
    if nouns is not None:
        return allowed_tokens(said, nouns, config.vocabulary)
    allowed = torch.ones(len(said), config.vocabulary, dtype=torch.bool)
    if said.shape[1] == 0:
        allowed[:, 0] = False
    if said.shape[1] == config.max_tokens - 1:
        allowed[:, 1:] = False
    return allowed


def log_prior(said: Tensor, vocabulary: Tensor, width: int, by_noun: bool) -> Tensor:
    """What the vocabulary [N, C] alone would say next, log probabilities [R, V]."""
    rows = []
    for begun in said.tolist():
        step = len(begun)
        following = [row[step] for row in vocabulary.tolist() if row[:step] == begun]
        counts = torch.bincount(torch.tensor(following, dtype=torch.int64), minlength=width)
        share = counts.float() if by_noun else (counts > 0).float()
        rows.append((share / share.sum().clamp(min=1)).log())
    return torch.stack(rows)


def log_probabilities(logits: Tensor, allowed: Tensor, decoding: Decoding) -> Tensor:
    """Log probabilities [R, V] with forbidden tokens at -inf."""
    logits = logits / decoding.temperature
    if decoding.renormalise:
        return logits.masked_fill(~allowed, -torch.inf).log_softmax(dim=1)
    return logits.log_softmax(dim=1).masked_fill(~allowed, -torch.inf)


@torch.inference_mode()
def beam_search(
    decoder: PrefixedDecoder,
    nouns: Tensor | None,
    embeddings: Tensor,
    decoding: Decoding,
    prior: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Beam search as novic_spec §8.4 words it, everything recomputed at every step.

    Args:
        decoder: In eval mode.
        nouns: Tokens of the nouns that may be said [N, C]; None for free generation.
        embeddings: Vectors [B, F].
        decoding: Beams and meaning of the scores.
        prior: Tokens said so far [R, t] to what is subtracted from the scores [R, V].

    Returns:
        Tokens [B, K, C] of the best nouns and their scores [B, K], -inf for empty beams.
    """
    size, k = decoder.config, decoding.beams
    batch = len(embeddings)
    repeated = embeddings.repeat_interleave(k, dim=0)
    said = torch.zeros(batch * k, 0, dtype=torch.int64)
    logp = torch.full((batch, k), -torch.inf)
    logp[:, 0] = 0.0
    lengths = torch.zeros(batch, k)
    done = torch.zeros(batch, k, dtype=torch.bool)
    for step in range(size.max_tokens):
        grown = torch.cat([said, torch.zeros(batch * k, 1, dtype=torch.int64)], dim=1)
        logits = decoder(repeated, grown)[:, -1]
        allowed = sayable_tokens(said, nouns, size)
        new = log_probabilities(logits, allowed, decoding).nan_to_num(nan=-torch.inf)
        if prior is not None:
            new = torch.where(allowed & (prior(said) > -torch.inf), new - prior(said), -torch.inf)
        new = new.view(batch, k, -1)
        stay = torch.full_like(new, -torch.inf)
        stay[..., 0] = 0.0
        total = logp[..., None] + torch.where(done[..., None], stay, new)  # [B, K, V]
        length = torch.where(done, lengths, torch.full_like(lengths, step + 1.0))
        rank = (total * length[..., None] ** -decoding.length_alpha).flatten(1)
        picked = rank.topk(k, dim=1).indices
        beam, token = picked // size.vocabulary, picked % size.vocabulary
        logp = total.flatten(1).gather(1, picked)
        lengths, done = length.gather(1, beam), done.gather(1, beam) | (token == 0)
        rows = (beam + torch.arange(batch)[:, None] * k).flatten()
        said = torch.cat([said[rows], token.flatten()[:, None]], dim=1)
        if done.all():
            break
    full = torch.zeros(batch, k, size.max_tokens, dtype=torch.int64)
    full[..., : said.shape[1]] = said.view(batch, k, -1)
    return full, logp * lengths**-decoding.length_alpha


@torch.inference_mode()
def score_nouns(
    decoder: PrefixedDecoder, nouns: Tensor, embeddings: Tensor, decoding: Decoding
) -> Tensor:
    """Score every noun by teacher forcing, one noun at a time: [B, N]."""
    columns = []
    for row in nouns:
        length = int((row != 0).sum()) + 1
        tokens = row[:length].expand(len(embeddings), -1)
        logits = decoder(embeddings, tokens)
        logp = torch.zeros(len(embeddings))
        for position in range(length):
            allowed = allowed_tokens(tokens[:, :position], nouns, decoder.config.vocabulary)
            logp += log_probabilities(logits[:, position], allowed, decoding)[:, row[position]]
        columns.append(logp * length**-decoding.length_alpha)
    return torch.stack(columns, dim=1)
