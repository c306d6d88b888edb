"""A "no" side on finished text vectors, for embedders whose text tower cannot be trained.

    no(g) = n(g + mean P + V gelu(U (g + P)))

with n(x) = x scaled to length 1 and 16 prompts P of the vector's width. P and V begin at zero, so
that at first "no" is the text itself, as where CLIPN begins with a copy of the text tower
(clipn_spec §5). While it is trained each vector gets one of the prompts or their mean, by chance;
afterwards the mean.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from novic.errors import UsageError

PROMPTS = 16
"""As in the released models."""


@dataclass(frozen=True, slots=True)
class HeadSizes:
    """Sizes of a head."""

    width: int
    """F, of the embedder's vectors."""
    hidden: int = 1024
    prompts: int = PROMPTS

    def __post_init__(self) -> None:
        """Refuse sizes that are none.

        Raises:
            UsageError: If one is below 1.
        """
        if min(self.width, self.hidden, self.prompts) < 1:
            raise UsageError(f"sizes of a CLIPN head must be at least 1, got {self}")


class NoHead(nn.Module):
    """Turns vectors of texts into vectors of their "no"."""

    def __init__(self, sizes: HeadSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.prompts = nn.Parameter(torch.zeros(sizes.prompts, sizes.width))
        self.inner = nn.Linear(sizes.width, sizes.hidden, bias=False)
        self.outer = nn.Linear(sizes.hidden, sizes.width, bias=False)
        nn.init.zeros_(self.outer.weight)

    def forward(self, vectors: Tensor, generator: Generator | None = None) -> Tensor:
        """The "no" of texts.

        Args:
            vectors: Unit vectors [B, F].
            generator: Source of the chance by which prompts are chosen in training mode, on the
                CPU.

        Returns:
            Unit vectors [B, F].
        """
        prompts = chosen_prompts(self.prompts, len(vectors), generator, chance=self.training)
        turned = self.outer(functional.gelu(self.inner(vectors + prompts)))
        return functional.normalize(vectors + self.prompts.mean(dim=0) + turned, dim=1)


def chosen_prompts(
    prompts: Tensor, count: int, generator: Generator | None, *, chance: bool
) -> Tensor:
    """What is added to each of some texts.

    Args:
        prompts: [P, ...].
        count: Texts.
        generator: Source of chance, on the CPU.
        chance: Choose for each text evenly among the prompts and their mean; else the mean.

    Returns:
        [count, ...], or [1, ...] where it is the mean for all.
    """
    mean = prompts.mean(dim=0, keepdim=True)
    if not chance:
        return mean
    chosen = torch.randint(len(prompts) + 1, (count,), generator=generator)
    return torch.cat([prompts, mean])[chosen.to(prompts.device)]
