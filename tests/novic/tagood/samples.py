"""Tagged tokens of made-up classes, and a small projector."""

import numpy as np
import torch

from novic.tagood.projector import Projector, ProjectorSizes
from novic.tagood.tokens import TaggedTokens

SIZES = ProjectorSizes(classes=3, width=16, places=6, layers=2, heads=4, hidden=32, patterns=4)


def small_projector(seed: int = 0, sizes: ProjectorSizes = SIZES) -> Projector:
    """All weights drawn, also those that begin at zero."""
    torch.manual_seed(seed)
    projector = Projector(sizes)
    with torch.no_grad():
        for weight in projector.parameters():
            weight += 0.1 * torch.randn(weight.shape)
    return projector.eval()


def pictures(count: int, seed: int = 0) -> tuple[list[TaggedTokens], np.ndarray]:
    """Pictures of three classes, each with tokens about a direction of its class."""
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(99).standard_normal((3, 16))
    labels = np.arange(count) % 3
    found = []
    for label in labels:
        kept = int(rng.integers(1, 7))
        tokens = directions[label] + 0.5 * rng.standard_normal((kept, 16))
        mask = np.linspace(0, 1, 6, dtype=np.float32)
        chance = float(rng.uniform(0.5, 1))
        found.append(TaggedTokens((int(label),), (chance,), mask, tokens.astype(np.float32)))
    return found, labels
