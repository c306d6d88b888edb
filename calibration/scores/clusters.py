"""The energy of heads that tell clusters of the known pictures apart: no label is needed.

Pictures of a site fall into kinds even where nobody said which. A head that is learned from
clusters in place of classes knows which directions part them, and what is none of them gives it
little energy (Liu et al. 2020). Nobody knows how many kinds there are, so several numbers of
clusters have a head each.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from calibration.scores.heads import LinearHead, fit_head
from calibration.scores.logits import energy
from calibration.scores.protocol import Floats, Ints, Pictures, ScoreError, enough, vectors_of

CLUSTERS = (6, 12, 24)
LEAST_EACH = 20
"""Pictures for each cluster on average; larger numbers of clusters are left out."""
_STEPS = 50


@dataclass(frozen=True, slots=True)
class ClusterEnergy:
    """Mean over several numbers of clusters of the energy, -logsumexp, of a head for each."""

    clusters: tuple[int, ...] = CLUSTERS
    """Of k-means++, ascending."""
    seed: int = 0
    name: str = "cluster_energy"

    def fit(self, known: Pictures) -> "FittedClusterEnergy":
        """See `protocol.Score`."""
        if not self.clusters or min(self.clusters) < 2:
            raise ScoreError(f"{self.name}: needs two clusters or more, got {self.clusters}")
        vectors = vectors_of(self.name, known)
        enough(self.name, len(vectors), LEAST_EACH * min(self.clusters))
        wanted = [some for some in self.clusters if LEAST_EACH * some <= len(vectors)]
        if len(np.unique(vectors, axis=0)) < max(wanted):
            raise ScoreError(f"{self.name}: the known pictures are nearly all alike; give others")
        heads = (fit_head(vectors, clustered(vectors, some, self.seed)) for some in wanted)
        return FittedClusterEnergy(self.name, tuple(heads))


@dataclass(frozen=True, slots=True, eq=False)
class FittedClusterEnergy:
    """See `ClusterEnergy`."""

    name: str
    heads: tuple[LinearHead, ...]

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        vectors = vectors_of(self.name, batch, self.heads[0].weights.shape[1])
        return np.mean([energy(head.logits(vectors)) for head in self.heads], axis=0)


def clustered(vectors: Floats, clusters: int, seed: int) -> Ints:
    """Number of the cluster of each vector, 0 to C - 1 [N], each at least once.

    Args:
        vectors: [N, F].
        clusters: As many, or fewer where some stay empty.
        seed: Of where they begin.
    """
    from scipy.cluster.vq import kmeans2  # noqa: PLC0415  # a second, and only who fits needs it

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        rng = np.random.default_rng(seed)
        _, numbers = kmeans2(vectors, clusters, iter=_STEPS, minit="++", rng=rng)
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)
