"""Noise on unit vectors, after NOVIC (arXiv 2407.11211; novic_spec §6).

Texts and pictures of one thing lie far apart; noise makes the decoder indifferent to where in
between a vector lies. `n(x)` is x scaled to length 1. All functions draw from the generator they
are given, so that a run can be repeated, and leave the vectors they are given as they are.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from novic.errors import UsageError

SCHEMES = {
    "GaussElem": ("norm",),
    "GaussVec": ("norm",),
    "GaussAngle": ("spread_deg", "most_deg"),
    "UniformAngle": ("least_deg", "most_deg"),
    "GaussElemUniformAngle": ("norm", "least_deg", "most_deg", "mix"),
}
"""Each scheme with the numbers that follow its name, in order."""


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """A scheme and its numbers; those that a scheme does not read stay 0."""

    scheme: str = ""
    """One of `SCHEMES`, or empty for no noise."""
    norm: float = 0.0
    """Root mean square length of the noise (GaussElem, GaussVec)."""
    least_deg: float = 0.0
    most_deg: float = 0.0
    """Angles that a vector is turned by at least and at most, degrees."""
    spread_deg: float = 0.0
    """Standard deviation of the angle (GaussAngle), degrees."""
    mix: float = 0.0
    """Share of the vectors that get UniformAngle rather than GaussElem, 0 to 1."""

    @classmethod
    def parse(cls, text: str) -> "NoiseConfig":
        """Read a scheme with its numbers, `GaussElemUniformAngle:3.25,45,75,0.15`.

        Args:
            text: A name in upper or lower case, a colon, and the numbers in the order of `SCHEMES`;
                empty for no noise.

        Raises:
            UsageError: If the scheme is unknown, or a number is missing, wrong or one too many.
        """
        name, _, rest = text.strip().partition(":")
        if not name:
            return cls()
        scheme = {known.lower(): known for known in SCHEMES}.get(name.strip().lower())
        if scheme is None:
            raise UsageError(f"unknown noise '{name}'; use one of {', '.join(SCHEMES)}")
        names = SCHEMES[scheme]
        try:
            numbers = [float(number) for number in rest.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) != len(names):
            raise UsageError(f"noise '{text}': write it as {scheme}:{','.join(names).upper()}")
        noise = cls(scheme, **dict(zip(names, numbers, strict=True)))
        noise._check(text)
        return noise

    def __str__(self) -> str:
        """The text that `parse` reads; empty for no noise."""
        if not self.scheme:
            return ""
        numbers = (f"{getattr(self, name):g}" for name in SCHEMES[self.scheme])
        return f"{self.scheme}:{','.join(numbers)}"

    def _check(self, text: str) -> None:
        """Refuse numbers that mean nothing.

        Raises:
            UsageError: If one is negative or not finite, angles are the wrong way round or above
                180, or the mix is above 1.
        """
        numbers = [getattr(self, name) for name in SCHEMES[self.scheme]]
        if not all(0 <= number < float("inf") for number in numbers):
            raise UsageError(f"noise '{text}': numbers must be 0 or more")
        if not self.least_deg <= self.most_deg <= 180:
            raise UsageError(f"noise '{text}': angles must rise and be at most 180")
        if self.mix > 1:
            raise UsageError(f"noise '{text}': the mix must be at most 1")


UPSTREAM = NoiseConfig("GaussElemUniformAngle", norm=3.25, least_deg=45, most_deg=75, mix=0.15)
"""Noise of the released models."""


def add_noise(vectors: Tensor, noise: NoiseConfig, generator: Generator) -> Tensor:
    """Move vectors as a configuration says.

    Args:
        vectors: Unit vectors [B, F].
        noise: The scheme.
        generator: Source of chance, on the device of the vectors.

    Returns:
        Unit vectors [B, F]; the given ones themselves if there is no scheme.
    """
    match noise.scheme:
        case "":
            return vectors
        case "GaussElem":
            return gauss_elem(vectors, noise.norm, generator)
        case "GaussVec":
            return gauss_vec(vectors, noise.norm, generator)
        case "GaussAngle":
            return gauss_angle(vectors, noise.spread_deg, noise.most_deg, generator)
        case "UniformAngle":
            return uniform_angle(vectors, noise.least_deg, noise.most_deg, generator)
        case "GaussElemUniformAngle":
            elements = gauss_elem(vectors, noise.norm, generator)
            turned = uniform_angle(vectors, noise.least_deg, noise.most_deg, generator)
            device = vectors.device
            chance = torch.rand(len(vectors), 1, generator=generator, device=device)
            return torch.where(chance < noise.mix, turned, elements)
    raise ValueError(f"unknown noise '{noise.scheme}'; use one of {', '.join(SCHEMES)}")


def gauss_elem(vectors: Tensor, norm: Tensor | float, generator: Generator) -> Tensor:
    """n(e + g) with independent normal elements.

    Args:
        vectors: Unit vectors [B, F].
        norm: Root mean square length of g, one for all or one per row [B, 1].
        generator: Source of chance, on the device of the vectors.
    """
    chance = torch.randn(vectors.shape, generator=generator, device=vectors.device)
    return functional.normalize(vectors + norm * chance / vectors.shape[1] ** 0.5, dim=1)


def gauss_vec(vectors: Tensor, norm: float, generator: Generator) -> Tensor:
    """n(e + norm z u) with z standard normal and u of length 1 in a random direction.

    Args:
        vectors: Unit vectors [B, F].
        norm: Root mean square length of what is added.
        generator: Source of chance, on the device of the vectors.
    """
    device = vectors.device
    length = norm * torch.randn(len(vectors), 1, generator=generator, device=device)
    chance = torch.randn(vectors.shape, generator=generator, device=device)
    return functional.normalize(vectors + length * functional.normalize(chance, dim=1), dim=1)


def gauss_angle(
    vectors: Tensor, spread_deg: float, most_deg: float, generator: Generator
) -> Tensor:
    """Turn each vector by a normal angle in a random direction.

    Args:
        vectors: Unit vectors [B, F].
        spread_deg: Standard deviation of the angle, degrees.
        most_deg: No angle is beyond this on either side, degrees.
        generator: Source of chance, on the device of the vectors.
    """
    chance = torch.randn(len(vectors), 1, generator=generator, device=vectors.device)
    return _turn(vectors, (spread_deg * chance).clamp(-most_deg, most_deg), generator)


def uniform_angle(
    vectors: Tensor, least_deg: float, most_deg: float, generator: Generator
) -> Tensor:
    """Turn each vector by an angle drawn from least_deg to most_deg, in a random direction.

    Args:
        vectors: Unit vectors [B, F].
        least_deg: Smallest angle, degrees.
        most_deg: Largest angle, degrees.
        generator: Source of chance, on the device of the vectors.
    """
    share = torch.rand(len(vectors), 1, generator=generator, device=vectors.device)
    return _turn(vectors, least_deg + (most_deg - least_deg) * share, generator)


def _turn(vectors: Tensor, angle_deg: Tensor, generator: Generator) -> Tensor:
    """Turn vectors [B, F] by angles [B, 1], each towards a random direction across it."""
    angle = torch.deg2rad(angle_deg)
    chance = torch.randn(vectors.shape, generator=generator, device=vectors.device)
    across = chance - (chance * vectors).sum(dim=1, keepdim=True) * vectors
    return torch.cos(angle) * vectors + torch.sin(angle) * functional.normalize(across, dim=1)
