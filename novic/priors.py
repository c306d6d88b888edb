"""What the vocabulary alone would say next, and how decoding divides it out (novic_spec §8.5).

Some tokens begin many nouns, others one. With a prior, the score of a step is log p(token) minus
the prior's share of it, so that a noun gains nothing from standing in a crowded branch.
"""

import numpy as np
import torch
from torch import Tensor

from novic.gencfg import GenConfig
from novic.trie import Trie


def edge_bonus(config: GenConfig, trie: Trie, vocabulary: Trie) -> Tensor | None:
    """What the prior adds to the score of each step along a trie.

    Args:
        config: Which prior, and how strongly it is divided out.
        trie: The nouns that may be said.
        vocabulary: All nouns that the decoder was trained on.

    Returns:
        -scaler * log p(token | beginning) for every edge of `trie` [edges], float32, and -inf for
        edges that the vocabulary does not have, which a prior forbids; None without a prior.
    """
    if not config.has_prior:
        return None
    of_vocabulary = -config.scaler * _log_prior(vocabulary, config.prior == "tgt")
    if trie is vocabulary:
        return of_vocabulary
    twin = _twins(trie.to(torch.device("cpu")), vocabulary.to(torch.device("cpu")))
    twin = twin.to(of_vocabulary.device)
    return torch.where(twin >= 0, of_vocabulary[twin.clamp(min=0)], -torch.inf)


def _log_prior(trie: Trie, by_noun: bool) -> Tensor:
    """Log p(edge | its node) for every edge: by the nouns behind it, or the same for each edge."""
    sizes = trie.first_edge.diff()
    node = torch.repeat_interleave(sizes)
    if not by_noun:
        return -sizes[node].float().log()
    nouns = torch.zeros(len(sizes), dtype=torch.int64, device=node.device)
    nouns.index_add_(0, node, trie.edge_count)
    return (trie.edge_count / nouns[node]).float().log()


def _twins(trie: Trie, other: Trie) -> Tensor:
    """For each edge of a trie the edge of another one with the same beginning and token, or -1."""
    tokens = int(max(trie.edge_token.max(), other.edge_token.max())) + 1
    nodes = torch.repeat_interleave(other.first_edge.diff())
    keys = (nodes * tokens + other.edge_token).numpy()
    same_node = np.full(len(trie.first_edge) - 1, -1)
    same_node[0] = 0
    twins = np.full(len(trie.edge_token), -1)
    first, token, leads = (t.numpy() for t in (trie.first_edge, trie.edge_token, trie.edge_node))
    # Nodes are numbered level by level, so the twin of a node is known before its edges are asked.
    for node in range(len(same_node)):
        if same_node[node] < 0:
            continue
        edges = np.arange(first[node], first[node + 1])
        wanted = same_node[node] * tokens + token[edges]
        at = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
        there = keys[at] == wanted
        twins[edges[there]] = at[there]
        on = edges[there & (leads[edges] >= 0)]
        same_node[leads[on]] = other.edge_node.numpy()[twins[on]]
    return torch.from_numpy(twins)
