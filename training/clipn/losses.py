"""What CLIPN is trained by (Wang et al. 2023; clipn_spec §2).

Between an image and a text stand two logits: l = s cos(image, text) and m = s cos(image, "no"
text). The two-way softmax of both is the logistic function of their difference, so that every loss
is a softplus of it, which neither overflows nor rounds to nothing.

* yes: an image does not fit the "no" of its own text.
* no: it fits the "no" of every other text.
* opposite: a text and its "no" lie far apart.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

TINY = 1e-4
"""Under the root of the distance, as in the released program."""


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """Of a batch; each a scalar."""

    yes: Tensor
    no: Tensor
    opposite: Tensor
    """From 2 for a "no" that is its text down to 0 for one that is its opposite."""

    @property
    def total(self) -> Tensor:
        """What is minimised; (ln 2 + ln 2 + 1.99) / 2 = 1.688 where every "no" is its text."""
        return (self.yes + self.no + self.opposite) / 2


def clipn_losses(
    images: Tensor, texts: Tensor, no_texts: Tensor, scale: float, related: Tensor | None = None
) -> Losses:
    """The losses of a batch of pairs.

    Args:
        images: Unit vectors [N, F].
        texts: Unit vectors of their texts [N, F].
        no_texts: Unit vectors of the "no" of these texts [N, F].
        scale: s.
        related: Pairs of an image and another's text that are left out, because that text may be
            true for the image too, bool [N, N]; the mean is taken over those that are left. The
            diagonal never counts.
    """
    margin = scale * images @ (texts - no_texts).T
    own = torch.eye(len(images), dtype=torch.bool, device=images.device)
    other = ~own if related is None else ~(own | related)
    no = (functional.softplus(margin) * other).sum() / other.sum().clamp(min=1)
    cosine = (texts * no_texts).sum(dim=1)
    # Rounding may put the cosine of equal vectors above 1.
    distance = (2 - 2 * cosine).clamp(min=0).add(TINY).sqrt()
    return Losses(functional.softplus(-margin.diagonal()).mean(), no, (2 - distance).mean())
