"""Upstream's own answers, defects included, for people who must compare with it.

Dense and slow on purpose: every beam's whole row of V scores is built and ranked, as upstream does
it, because its defects (NaN beams, repeats at -inf) come from exactly that. What differs from the
default is listed in docs/novic.md; the facts are novic_spec §8 and the recorded answers in
tests/data/parity.
"""

import torch
from torch import Tensor

from novic.decoder import PrefixedDecoder
from novic.gencfg import GenConfig
from novic.tokens import END


@torch.inference_mode()
def exact_search(
    decoder: PrefixedDecoder,
    vocabulary: Tensor,
    guide: Tensor,
    embeddings: Tensor,
    config: GenConfig,
) -> tuple[Tensor, Tensor]:
    """Greedy or beam search as upstream runs it.

    Args:
        decoder: In eval mode.
        vocabulary: Compact tokens of the nouns that it was trained on [N, C]; for the prior.
        guide: Compact tokens of the nouns that may be said [W, C]; unused for `gn`.
        embeddings: Vectors [B, F] on the decoder's device.
        config: A greedy or beam strategy.

    Returns:
        Tokens [B, K, C - 1] and scores [B, K] of the beams, in upstream's order; NaN and -inf are
        among the scores where upstream has them.
    """
    size, k, count = decoder.config, config.topk, len(embeddings)
    state, cache = decoder.start(embeddings)
    beams = torch.arange(count, device=embeddings.device).repeat_interleave(k)
    state, cache = state[beams], cache.of(beams)
    said = torch.zeros(count * k, 0, dtype=torch.int64, device=embeddings.device)
    logp = embeddings.new_full((count, k), -torch.inf, dtype=torch.float32)
    logp[:, 0] = 0.0
    lengths = torch.zeros_like(logp)
    done = torch.zeros_like(logp, dtype=torch.bool)
    offset = torch.arange(count, device=embeddings.device)[:, None] * k
    for step in range(size.max_tokens - 1):
        new = _scores(decoder.logits(state).float(), said, vocabulary, guide, config)
        stay = torch.full_like(new, -torch.inf)
        stay[:, END] = 0.0
        total = logp.flatten()[:, None] + torch.where(done.flatten()[:, None], stay, new)
        if step == 0:
            total[:, END] = -torch.inf
        length = torch.where(done, lengths, step + 1.0)
        ranked = (total * length.flatten()[:, None] ** -config.length_alpha).view(count, -1)
        picked = ranked.topk(k, dim=1).indices
        beam, token = picked // size.vocabulary, picked % size.vocabulary
        rows = (beam + offset).flatten()
        logp = total.view(count, -1).gather(1, picked)
        lengths = length.gather(1, beam)
        done = done.gather(1, beam) | (token == END)
        said = torch.cat([said[rows], token.flatten()[:, None]], dim=1)
        if done.all() or step == size.max_tokens - 2:
            break
        state, cache = decoder.advance(token.flatten(), cache.of(rows))
    tokens = _up_to_end(said, size.max_tokens - 1)
    return tokens.view(count, k, -1), logp * lengths**-config.length_alpha


def _up_to_end(said: Tensor, width: int) -> Tensor:
    """Tokens [R, t] as [R, width], with nothing but END from the first END on."""
    # What stands behind it is the rubble of beams that had nowhere to go.
    ended = (said == END).cumsum(dim=1) > 0
    tokens = said.new_full((len(said), width), END)
    tokens[:, : said.shape[1]] = said.masked_fill(ended, END)
    return tokens


def _scores(
    logits: Tensor, said: Tensor, vocabulary: Tensor, guide: Tensor, config: GenConfig
) -> Tensor:
    """Scores of every next token [R, V] after the tokens said so far [R, t]."""
    logits = logits / config.temperature
    allowed = _continues(said, guide, logits.shape[1]) > 0 if config.guide != "n" else None
    if config.guide == "r" and allowed is not None:
        scores = logits.masked_fill(~allowed, -torch.inf).log_softmax(dim=1)
    else:
        scores = logits.log_softmax(dim=1)
    if config.has_prior:
        scores = scores - config.scaler * _log_prior(said, vocabulary, config, logits.shape[1])
    if config.guide == "p" and allowed is not None:
        # Added, not filled in: a negative scaler meets it with +inf, and upstream then has NaN.
        scores = scores + torch.zeros_like(scores).masked_fill(~allowed, -torch.inf)
    return scores


def _continues(said: Tensor, nouns: Tensor, width: int) -> Tensor:
    """How many nouns [N, C] go on with each token after `said` [R, t]: [R, V]."""
    step = said.shape[1]
    fits = (said[:, None, :] == nouns[None, :, :step]).all(dim=2)
    found = torch.zeros(len(said), width, device=said.device)
    return found.index_add_(1, nouns[:, step], fits.float())


def _log_prior(said: Tensor, vocabulary: Tensor, config: GenConfig, width: int) -> Tensor:
    """Log p(token | said) [R, V]; +inf for tokens outside, which the subtraction turns to -inf."""
    count = _continues(said, vocabulary, width)
    share = count if config.prior == "tgt" else (count > 0).float()
    prior = (share / share.sum(dim=1, keepdim=True)).log()
    return prior.masked_fill(count == 0, torch.inf)
