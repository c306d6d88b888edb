"""Vectors that stand for all normal ones, and how far others are from them."""

import torch

_CHUNK = 4096
"""Vectors whose distances to the whole bank are in memory at once."""


class Sample:
    """Draws as many vectors from every batch, so that a number of them is not passed by far."""

    def __init__(self, wanted: int, pictures: int, seed: int) -> None:
        """Begin with none.

        Args:
            wanted: Vectors at most in the end.
            pictures: Pictures that are expected, at least.
            seed: Of the draw.
        """
        self._wanted = wanted
        self._each = -(-wanted // pictures)
        self._generator = torch.Generator().manual_seed(seed)
        self._drawn: list[torch.Tensor] = []

    def add(self, vectors: torch.Tensor, pictures: int) -> None:
        """Draw from the vectors [n, D] of some pictures."""
        order = torch.randperm(len(vectors), generator=self._generator)
        self._drawn.append(vectors[order[: self._each * pictures].to(vectors.device)].cpu())

    @property
    def vectors(self) -> torch.Tensor:
        """All that were drawn [at most the wanted number, D]."""
        every = torch.cat(self._drawn)
        return every[torch.randperm(len(every), generator=self._generator)[: self._wanted]]


def k_centre(vectors: torch.Tensor, count: int, first: int) -> torch.Tensor:
    """Vectors that leave none far from all of them: the greedy k-centre of Sener and Savarese 2018.

    The picks of anomalib's sampler, at a fraction of its time: with the squared norms kept, a step
    is one product of a matrix with a vector.

    Args:
        vectors: [n, D], float32.
        count: How many are picked, at most n.
        first: Index of the first.

    Returns:
        Indices [count], int64, in the order of the picks.
    """
    apart = vectors - vectors.mean(dim=0)
    squares = apart.square().sum(dim=1)
    nearest = torch.full_like(squares, torch.inf)
    picked = torch.empty(min(count, len(vectors)), dtype=torch.int64)
    at = first
    for number in range(len(picked)):
        picked[number] = at
        distances = squares + squares[at] - 2 * (apart @ apart[at])
        torch.minimum(nearest, distances, out=nearest)
        nearest[at] = -1.0  # rounding must not pick it again
        at = int(nearest.argmax())
    return picked


class Bank:
    """Normal vectors; the distance to the nearest tells how unusual another one is."""

    def __init__(self, vectors: torch.Tensor) -> None:
        """Keep vectors [m, D], float32."""
        self.vectors = vectors
        self._middle = vectors.mean(dim=0)  # near it squares are small, and their sums exact
        self._apart = vectors - self._middle
        self._squares = self._apart.square().sum(dim=1)

    def distances(self, queries: torch.Tensor) -> torch.Tensor:
        """Distance of each query [n, D] to the nearest vector [n]."""
        return torch.cat([self._nearest(some) for some in queries.split(_CHUNK)])

    def _nearest(self, queries: torch.Tensor) -> torch.Tensor:
        apart = queries - self._middle
        to_all = torch.addmm(self._squares, apart, self._apart.T, alpha=-2)
        # Measured again: the difference of large squares is coarse where the distance is small.
        return torch.linalg.vector_norm(apart - self._apart[to_all.argmin(dim=1)], dim=1)
