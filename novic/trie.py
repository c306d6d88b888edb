"""The nouns as a tree of tokens in flat arrays: which token may follow which beginning.

Nodes are numbered level by level, 0 is the root (nothing said yet). The edges that leave a node
stand side by side, so a decoder finds what may follow by two look-ups, for thousands of
beginnings at once, and never builds a mask over the whole vocabulary.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from novic.errors import UsageError
from novic.tokens import END


@dataclass(frozen=True, slots=True, eq=False)
class Trie:
    """Edges of the tree of nouns, int64."""

    first_edge: Tensor
    """[nodes + 1]: the edges of node n are first_edge[n] up to first_edge[n + 1]."""
    edge_token: Tensor
    """[edges]: the token that an edge says."""
    edge_node: Tensor
    """[edges]: the node it leads to, -1 where it ends a noun."""
    edge_noun: Tensor
    """[edges]: the noun that it ends, -1 where it leads on."""
    edge_count: Tensor
    """[edges]: how many nouns go through it."""

    @property
    def nouns(self) -> int:
        """How many nouns the tree holds."""
        return int((self.edge_noun >= 0).sum())

    def to(self, device: torch.device) -> "Trie":
        """The same tree on another device."""
        return Trie(
            self.first_edge.to(device),
            self.edge_token.to(device),
            self.edge_node.to(device),
            self.edge_noun.to(device),
            self.edge_count.to(device),
        )

    def edges_of(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """All edges that leave the given nodes.

        Args:
            nodes: Node numbers [R].

        Returns:
            For every edge the row of `nodes` it leaves from [E], ascending, and its number [E].
        """
        start = self.first_edge[nodes]
        count = self.first_edge[nodes + 1] - start
        rows = torch.repeat_interleave(count)
        before = torch.cumsum(count, 0) - count
        return rows, torch.arange(len(rows), device=nodes.device) + (start - before)[rows]


def build_trie(tokens: NDArray[np.int64], which: NDArray[np.int64] | None = None) -> Trie:
    """Build the tree of some nouns.

    Args:
        tokens: Compact tokens of all nouns [N, C], each row ended by END.
        which: Noun numbers to hold, by default all; edges name nouns by these numbers.

    Raises:
        UsageError: If two nouns have the same tokens.
    """
    nouns = np.arange(len(tokens)) if which is None else np.asarray(which, dtype=np.int64)
    rows = tokens[nouns]
    parent = np.zeros(len(rows), dtype=np.int64)
    nodes = 1
    edge_parent, edge_token, edge_node, edge_noun, edge_count = [], [], [], [], []
    for position in range(tokens.shape[1]):
        column = rows[:, position]
        keys, first, inverse, passing = np.unique(
            parent * (tokens.max() + 1) + column,
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        ends = column[first] == END
        if ends.sum() != (column == END).sum():
            raise UsageError("two nouns have the same tokens; every noun must be distinct")
        target = np.full(len(keys), -1)
        target[~ends] = nodes + np.arange((~ends).sum())
        nodes += int((~ends).sum())
        edge_parent.append(parent[first])
        edge_token.append(column[first])
        edge_node.append(target)
        edge_noun.append(np.where(ends, nouns[first], -1))
        edge_count.append(passing)
        on = column != END
        parent, rows, nouns = target[inverse][on], rows[on], nouns[on]
        if not on.any():
            break
    return _flat(nodes, edge_parent, edge_token, edge_node, edge_noun, edge_count)


def _flat(nodes: int, parents: list, *columns: list) -> Trie:
    """Join the levels; their parents ascend, so the edges of a node stand side by side."""
    count = np.bincount(np.concatenate(parents), minlength=nodes)
    first = np.concatenate([[0], np.cumsum(count)])
    return Trie(
        torch.from_numpy(first), *(torch.from_numpy(np.concatenate(column)) for column in columns)
    )
