"""The running centres of the classes.

`published`: a centre begins as a normal draw and moves a thousandth of the way to each vector of
its class; of several in one batch the last alone moves it. After 870 of them .42 of the draw is
left: nothing to ImageNet's classes, but most of a small site's.

`corrected`: the running mean of all vectors of the class, divided by the share of it that is there
(1 - momentum^n), so that nothing of the start is in it; until its first vector comes, the draw
stands. Every vector of a batch counts. `means` runs in the same way, and the plain means of all
pictures take their place at the end.
"""

import torch
from torch import Generator, Tensor

from training.tagood.config import CentreKind


class Centres:
    """Centres of C classes.

    Args:
        shape: (C, P, W / P).
        kind: How they run.
        momentum: Share that stays when a vector comes.
        seed: Of the draw that they begin as.
    """

    def __init__(
        self, shape: tuple[int, int, int], kind: CentreKind, momentum: float, seed: int
    ) -> None:
        self.values = torch.randn(shape, generator=Generator().manual_seed(seed))
        self._kind, self._momentum = kind, momentum
        self._sums = torch.zeros(shape)
        self._shares = torch.zeros(shape[0])

    def update(self, features: Tensor, labels: Tensor) -> None:
        """Let vectors move the centres.

        Args:
            features: z [B, W]; no gradient goes back into them.
            labels: Class of each [B].
        """
        parted = features.detach().view(len(features), *self.values.shape[1:]).cpu()
        keep = self._momentum
        if self._kind == "published":
            last = {label: row for row, label in enumerate(labels.tolist())}
            for label, row in last.items():
                self.values[label] = keep * self.values[label] + (1 - keep) * parted[row]
            return
        for label, vector in zip(labels.tolist(), parted, strict=True):
            self._sums[label] = keep * self._sums[label] + (1 - keep) * vector
            self._shares[label] = keep * self._shares[label] + (1 - keep)
            self.values[label] = self._sums[label] / self._shares[label]

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All that the next update depends on, to be saved and filled."""
        return {"centres": self.values, "sums": self._sums, "shares": self._shares}
