"""A masked autoencoder over a view's cells: what cannot be told from around it is unusual.

In the spirit of MAE (He et al. 2022) and of AnomNOVIC's detector, small enough to learn one view in
a minute on a CPU: of the features of a pretrained network most cells are hidden, and a network that
knows the place of every cell tells them from those that are left.
"""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import nn
from torch.nn import functional

from detectors.configs import ReconstructionConfig
from detectors.models.cells import CellDetector
from detectors.models.tensors import channel_variance, checked_tensor
from detectors.models.view_detector import Lesson, Look, Told

BATCH = 4
"""Pictures of a step."""
STEPS_PER_PICTURE = 2
"""Steps in the time of a picture."""
BLOCK = 2
"""Cells on a side of what is hidden or shown together."""
REACH = 2
"""Cells to each side that a layer sees."""


class HiddenCells(nn.Module):
    """Tells the features of hidden cells from those that are shown, and from their places."""

    def __init__(self, depth: int, grid: tuple[int, int], width: int, layers: int) -> None:
        """An untrained one, for features of `depth` channels on a grid (h, w)."""
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1, width, *grid))
        self.enter = nn.Conv2d(depth + 1, width, 1)
        self.layers = nn.ModuleList(_Layer(width) for _ in range(layers))
        self.leave = nn.Conv2d(width, depth, 1)

    def forward(self, features: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """All cells' features [B, D, h, w].

        Args:
            features: Standardised [B, D, h, w].
            shown: 1 where they may be seen, else 0 [1 or B, 1, h, w].
        """
        shown = shown.expand(len(features), -1, -1, -1)
        state = self.enter(torch.cat((features * shown, shown), dim=1)) + self.place
        for layer in self.layers:
            state = state + layer(state)
        return self.leave(state)


class _Layer(nn.Module):
    """Looks around within each channel, then mixes the channels (ConvNeXt, Liu et al. 2022)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, width, 2 * REACH + 1, padding=REACH, groups=width)
        self.norm = nn.GroupNorm(1, width)
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.narrow = nn.Conv2d(2 * width, width, 1)

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        """Change of a state [B, C, h, w]."""
        return self.narrow(functional.gelu(self.widen(self.norm(self.around(state)))))


class Reconstruction:
    """A trained network and how far it is usually off."""

    def __init__(
        self, net: HiddenCells, mean: torch.Tensor, scale: torch.Tensor, spread: torch.Tensor
    ) -> None:
        """Keep what `distances` needs.

        Args:
            net: Trained.
            mean: Of the features [D, 1, 1], float32.
            scale: Of the features over time [D, 1, 1], float32, above 0.
            spread: Usual error of every cell and channel [D, h, w], float32, above 0.
        """
        self.net = net.eval().requires_grad_(requires_grad=False)
        self.mean, self.scale, self.spread = mean, scale, spread

    @torch.inference_mode()
    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """How far every cell is from what its surroundings tell [B, h, w]."""
        errors = hidden_errors(self.net, (features - self.mean) / self.scale)
        return torch.linalg.vector_norm(errors / self.spread, dim=1)

    def tensors(self) -> dict[str, torch.Tensor]:
        """`mean`, `scale` and `spread`, and the network's own after `net.`."""
        own = {f"net.{name}": tensor for name, tensor in self.net.state_dict().items()}
        kept = {"mean": self.mean, "scale": self.scale, "spread": self.spread, **own}
        return {name: tensor.cpu() for name, tensor in kept.items()}


def quarters(grid: tuple[int, int]) -> Iterator[torch.Tensor]:
    """Four patterns [1, 1, h, w], each showing (1) another quarter of the blocks, hiding others."""
    rows = torch.arange(grid[0]) // BLOCK % 2
    columns = torch.arange(grid[1]) // BLOCK % 2
    for row in range(2):
        for column in range(2):
            shown = (rows == row)[:, None] & (columns == column)[None, :]
            yield shown.float()[None, None]


def hidden_errors(net: HiddenCells, features: torch.Tensor) -> torch.Tensor:
    """Mean error [B, D, h, w] of each cell in the three of four looks that hide it."""
    total = torch.zeros_like(features)
    for pattern in quarters((features.shape[2], features.shape[3])):
        shown = pattern.to(features.device)
        total += (net(features, shown) - features) * (1 - shown)
    return total / 3


class ReconstructionDetector(CellDetector[ReconstructionConfig, Reconstruction]):
    """Learns to tell a view's cells from those around them."""

    def _lesson(self, look: Look) -> Lesson[Reconstruction]:
        steps = -(-self.config.steps // STEPS_PER_PICTURE)

        def learn(batches: Iterable[torch.Tensor], told: Told) -> Reconstruction:
            features = torch.cat(list(batches))
            mean = features.mean(dim=(0, 2, 3))[:, None, None]
            scale = channel_variance(features).sqrt()[:, None, None]
            features = ((features - mean) / scale).half()  # as many as fit into memory twice
            net = self._trained(features, told)
            return Reconstruction(net, mean, scale, self._usual_errors(net, features))

        return Lesson(learn, steps)

    def _net(self, depth: int, grid: tuple[int, int]) -> HiddenCells:
        return HiddenCells(depth, grid, self.config.width, self.config.layers).to(self.device)

    def _trained(self, features: torch.Tensor, told: Told) -> HiddenCells:
        """A network trained on standardised features [N, D, h, w]."""
        config = self.config
        grid = (features.shape[2], features.shape[3])
        chance = torch.Generator().manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            net = self._net(features.shape[1], grid)
        optimizer = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, config.learning_rate, total_steps=max(2, config.steps)
        )
        patterns = [pattern.to(self.device) for pattern in quarters(grid)]
        for step in range(config.steps):
            drawn = torch.randint(len(features), (BATCH,), generator=chance)
            batch = features[drawn.to(features.device)].float()
            shown = patterns[int(torch.randint(4, (1,), generator=chance))]
            error = (net(batch, shown) - batch).square() * (1 - shown)
            optimizer.zero_grad()
            error.mean().backward()
            optimizer.step()
            schedule.step()
            if step % STEPS_PER_PICTURE == 0:
                told(1)
        return net

    @torch.no_grad()
    def _usual_errors(self, net: HiddenCells, features: torch.Tensor) -> torch.Tensor:
        """Spread of the errors [D, h, w] on what was learned, with a ridge."""
        total = torch.zeros(features.shape[1:], device=features.device)
        for some in features.split(BATCH):
            total += hidden_errors(net, some.float()).square().sum(dim=0)
        variance = total / len(features)
        ridge = self.config.shrinkage * variance.mean(dim=(1, 2), keepdim=True).clamp_min(1e-4)
        return (variance + ridge).sqrt()

    def _cells(
        self, tensors: Mapping[str, torch.Tensor], grid: tuple[int, int], depth: int
    ) -> Reconstruction:
        mean = checked_tensor(tensors, "mean", (depth, 1, 1))
        scale = checked_tensor(tensors, "scale", (depth, 1, 1), above=0.0)
        spread = checked_tensor(tensors, "spread", (depth, *grid), above=0.0)
        net = self._net(depth, grid)
        own = {
            name: checked_tensor(tensors, f"net.{name}", tuple(tensor.shape))
            for name, tensor in net.state_dict().items()
        }
        net.load_state_dict(own)
        return Reconstruction(net, *(part.to(self.device) for part in (mean, scale, spread)))
