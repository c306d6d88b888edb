"""From vectors to scored nouns, always along the trie: greedy, beam search, exhaustive scoring.

The score of a noun is the sum of the decoder's log probabilities of its tokens, its end included,
at a temperature; `exp(score)` is the probability that the decoder says exactly this noun. Two
readings of it are offered:

* plain: over everything that the decoder could say. The nouns of a list sum to less than 1; the
  rest is what it would have said instead.
* renormalised: at every step only tokens that lead to some noun of the list count, so the nouns
  of the list sum to exactly 1.

A third, the closed-set posterior, comes from `score_nouns` and `closed_set_posterior`: plain
scores of all candidates divided by their sum, which is P(noun | it is one of these).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from novic.decoder import KvCache, PrefixedDecoder
from novic.trie import Trie

MOST_ROWS = 1024
"""Hypotheses that run at once; bounds memory, whatever the number of vectors and nouns."""
SPARSE_SHARE = 0.02
"""Below this share of all next tokens, logits are computed for the allowed ones alone."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How nouns are searched for and scored."""

    beams: int = 10
    """Nouns kept at every step; 1 is greedy search."""
    renormalise: bool = False
    """Count only tokens that lead to a noun of the trie."""
    temperature: float = 1.0
    """Logits are divided by it."""
    length_alpha: float = 0.0
    """Scores are divided by (number of tokens) to this power; 0 keeps them log probabilities."""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            ValueError: If beams < 1 or the temperature is not positive.
        """
        if self.beams < 1:
            raise ValueError(f"beams must be at least 1, got {self.beams}")
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")


@dataclass(frozen=True, slots=True, eq=False)
class FoundNouns:
    """The best nouns of each of B vectors, best first."""

    nouns: Tensor
    """Noun numbers [B, K], int64; -1 where fewer than K nouns exist."""
    scores: Tensor
    """[B, K], float32; -inf where there is no noun."""


@dataclass(slots=True, eq=False)
class _Beams:
    """Unfinished hypotheses of all vectors, sorted by vector."""

    vector: Tensor
    """Number of the vector that each is about [R], ascending."""
    node: Tensor
    logp: Tensor
    state: Tensor
    cache: KvCache


@dataclass(slots=True, eq=False)
class _Steps:
    """Every way to go on from the live hypotheses by one token."""

    row: Tensor
    edge: Tensor
    logp: Tensor


@torch.inference_mode()
def beam_search(
    decoder: PrefixedDecoder,
    trie: Trie,
    embeddings: Tensor,
    decoding: Decoding,
    *,
    bonus: Tensor | None = None,
    wanted: int | None = None,
) -> FoundNouns:
    """Search the best nouns of each vector along the trie.

    Finished nouns hold their place among the beams, as upstream does it (novic_spec §8.4), but
    only unfinished hypotheses are computed, each reading one token against its cache, and a vector
    whose beams have all finished costs nothing more.

    Args:
        decoder: In eval mode.
        trie: The nouns that may be said, on the decoder's device.
        embeddings: Vectors [B, F] on the decoder's device.
        decoding: Number of beams and meaning of the scores.
        bonus: What a prior adds to each edge of the trie [edges]; see `novic.priors`.
        wanted: How many of the best nouns are of interest; all beams by default. A vector is done
            as soon as none of its unfinished hypotheses can become one of them.

    Returns:
        The best `wanted` nouns of each vector.
    """
    wanted = min(wanted or decoding.beams, decoding.beams)
    at_once = max(MOST_ROWS // decoding.beams, 1)
    chunks = [
        _search(decoder, trie, chunk, decoding, bonus, wanted)
        for chunk in embeddings.split(at_once)
    ]
    return FoundNouns(
        torch.cat([chunk.nouns for chunk in chunks])[:, :wanted],
        torch.cat([chunk.scores for chunk in chunks])[:, :wanted],
    )


def _search(
    decoder: PrefixedDecoder,
    trie: Trie,
    embeddings: Tensor,
    decoding: Decoding,
    bonus: Tensor | None,
    wanted: int,
) -> FoundNouns:
    count, k = len(embeddings), decoding.beams
    nouns = torch.full((count, k), -1, device=embeddings.device)
    scores = torch.full((count, k), -torch.inf, device=embeddings.device)
    beams = _first_beams(decoder, embeddings)
    # Only then can a hypothesis do no more than keep its score.
    falling = decoding.length_alpha == 0 and bonus is None
    length = 0
    while len(beams.vector):
        length += 1
        steps = _steps(decoder, trie, beams, decoding, bonus)
        step_scores = steps.logp * length**-decoding.length_alpha
        where, table = _by_row(beams.vector[steps.row], step_scores, count)
        # Columns below k are the nouns finished before, the others are steps.
        scores, picked = torch.cat([scores, table], dim=1).topk(k, dim=1)
        step = torch.cat([torch.full_like(nouns, -1), where], dim=1).gather(1, picked)
        edge = steps.edge[step.clamp(min=0)]
        finished_before = nouns.gather(1, picked.clamp(max=k - 1))
        nouns = torch.where(step >= 0, trie.edge_noun[edge], finished_before)
        # A live hypothesis holds no place among the finished: it comes back as steps or falls out.
        live = (step >= 0) & (nouns < 0) & (scores > -torch.inf)
        finished = scores.masked_fill(live | (nouns < 0), -torch.inf)
        if falling:
            settled = finished.topk(wanted, dim=1).values[:, -1:]
            live &= scores > settled
        scores = finished
        beams = _advance(decoder, trie, beams, steps, step[live])
    scores, best = scores.sort(dim=1, descending=True, stable=True)
    return FoundNouns(nouns.gather(1, best).masked_fill(scores == -torch.inf, -1), scores)


@torch.inference_mode()
def score_nouns(
    decoder: PrefixedDecoder,
    trie: Trie,
    embeddings: Tensor,
    decoding: Decoding,
    *,
    bonus: Tensor | None = None,
) -> Tensor:
    """Score every noun of the trie for each vector, without search.

    Beginnings that nouns share are computed once. `decoding.beams` plays no part.

    Args:
        decoder: In eval mode.
        trie: The nouns to score, on the decoder's device.
        embeddings: Vectors [B, F] on the decoder's device.
        decoding: Meaning of the scores.
        bonus: What a prior adds to each edge of the trie [edges]; see `novic.priors`.

    Returns:
        Scores [B, N], N the largest noun number of the trie plus one; -inf for nouns that it
        does not hold.
    """
    width = int(trie.edge_noun.max()) + 1
    scores = embeddings.new_full((len(embeddings), width), -torch.inf, dtype=torch.float32)

    def visit(beams: _Beams, length: int) -> None:
        steps = _steps(decoder, trie, beams, decoding, bonus)
        noun = trie.edge_noun[steps.edge]
        ends = noun >= 0
        scores[beams.vector[steps.row[ends]], noun[ends]] = (
            steps.logp[ends] * length**-decoding.length_alpha
        )
        # Depth first and a bounded chunk at a time: memory grows with the longest noun only.
        on = torch.nonzero(~ends).flatten()
        for first in range(0, len(on), MOST_ROWS):
            chosen = on[first : first + MOST_ROWS]
            visit(_advance(decoder, trie, beams, steps, chosen), length + 1)

    for first in range(0, len(embeddings), MOST_ROWS):
        beams = _first_beams(decoder, embeddings[first : first + MOST_ROWS])
        beams.vector += first
        visit(beams, 1)
    return scores


def closed_set_posterior(scores: Tensor) -> Tensor:
    """P(noun | it is one of the scored nouns) from plain scores [B, N]; each row sums to 1."""
    return torch.softmax(scores, dim=1)


def _first_beams(decoder: PrefixedDecoder, embeddings: Tensor) -> _Beams:
    """One empty hypothesis per vector."""
    state, cache = decoder.start(embeddings)
    vector = torch.arange(len(embeddings), device=embeddings.device)
    logp = state.new_zeros(len(vector), dtype=torch.float32)
    return _Beams(vector, torch.zeros_like(vector), logp, state, cache)


def _steps(
    decoder: PrefixedDecoder, trie: Trie, beams: _Beams, decoding: Decoding, bonus: Tensor | None
) -> _Steps:
    """All steps that the trie allows, with their log probabilities, sorted by hypothesis."""
    row, edge = trie.edges_of(beams.node)
    token = trie.edge_token[edge]
    if decoding.renormalise:
        chosen = _allowed_logits(decoder, beams.state, row, token) / decoding.temperature
        _, table = _by_row(row, chosen, len(beams.state))
        total = table.logsumexp(dim=1)
    else:
        logits = decoder.logits(beams.state).float() / decoding.temperature
        chosen = logits[row, token]
        total = logits.logsumexp(dim=1)
    logp = beams.logp[row] + chosen - total[row]
    return _Steps(row, edge, logp if bonus is None else logp + bonus[edge])


def _allowed_logits(decoder: PrefixedDecoder, states: Tensor, row: Tensor, token: Tensor) -> Tensor:
    """Logits of some tokens [E] after some of the states [R, H], row by row."""
    if len(token) > SPARSE_SHARE * len(states) * decoder.config.vocabulary:
        return decoder.logits(states)[row, token].float()
    return (states[row] * decoder.token_table.weight[token]).sum(dim=1).float()


def _by_row(row: Tensor, values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Lay values [E] out as a table.

    Args:
        row: Ascending row numbers [E].
        values: What to lay out [E].
        count: How many rows.

    Returns:
        Which entry stands in each cell, -1 for none, and the values, -inf for none [count, W].
    """
    sizes = torch.bincount(row, minlength=count)
    start = torch.cumsum(sizes, 0) - sizes
    order = torch.arange(len(row), device=row.device)
    where = row.new_full((count, int(sizes.max())), -1)
    where[row, order - start[row]] = order
    return where, torch.where(where >= 0, values[where.clamp(min=0)], -torch.inf)


def _advance(
    decoder: PrefixedDecoder, trie: Trie, beams: _Beams, steps: _Steps, chosen: Tensor
) -> _Beams:
    """Say the tokens of the chosen steps [R] (none of them an end)."""
    row, edge = steps.row[chosen], steps.edge[chosen]
    if not len(row):
        return _Beams(row, row, beams.logp[row], beams.state[row], beams.cache.of(row))
    state, cache = decoder.advance(trie.edge_token[edge], beams.cache.of(row))
    return _Beams(beams.vector[row], trie.edge_node[edge], steps.logp[chosen], state, cache)
