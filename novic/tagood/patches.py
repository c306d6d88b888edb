"""Tokens without a tagger: the cells of a network's map, and which of them show a noun.

A noun's attention is the cosine of a cell's vector to the noun's text vector, where both lie in one
space. The starter's do: its classifier is linear on the mean of its cells, so it can be asked about
each cell alone, and the answers mix the vectors of the class names as they do for whole pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from novic.embedder import Pixels, Vectors
from novic.embedders.starter import (
    CLASSIFIER,
    OPENVINO_AFTER,
    WIDTH,
    classifier_input,
    conse,
    example_inputs,
    load_class_vectors,
)
from novic.packaged import load_classifier
from novic.runtime import Runtime, TorchRuntime, try_openvino
from novic.tagood.errors import TagoodError
from novic.tagood.tokens import Floats

type Mask = Literal["text", "centre", "all"]
"""What marks the tokens that are kept: where the noun is, the middle, or nothing."""
MASKS: tuple[Mask, ...] = ("text", "centre", "all")

SPREAD = 0.5
"""Standard deviation of the weight of the middle, in half sides of the picture."""
AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """What a network sees in N pictures."""

    tokens: Floats
    """Of the cells, row by row [N, T, W]."""
    joint: Floats | None
    """Unit vectors of the cells in the space of the texts [N, T, F]; None where there are none."""


class PatchSource(Protocol):
    """A network whose map is read cell by cell."""

    @property
    def name(self) -> str:
        """What it is called in files and options."""
        ...

    @property
    def width(self) -> int:
        """W, components of a token."""
        ...

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the map; T = h * w."""
        ...

    @property
    def joint_with(self) -> str | None:
        """Spec of the embedder in whose space its cells lie too; None if in none."""
        ...

    def see(self, images: Sequence[Pixels]) -> Patches:
        """Look at pictures.

        Args:
            images: N images, RGB uint8 [H, W, 3], of any sizes.
        """
        ...


class StarterPatches:
    """The last map of the starter's classifier, 9 x 9 cells of 352 channels.

    Args:
        device: Where it runs; on a CPU many pictures with OpenVINO, where that is there.

    Raises:
        novic.packaged.WeightsError: If the classifier's package is missing or damaged.
        novic.embedder.EmbedderError: If the class vectors are missing.
    """

    name = "starter"
    joint_with = "starter"
    grid = (9, 9)

    def __init__(self, device: torch.device | None = None) -> None:
        device = device or torch.device("cpu")
        net = _Cells(load_classifier(CLASSIFIER)).to(device).eval()
        self.width = net.width
        self._classes = load_class_vectors()
        self._net = net
        self._runtime: Runtime = TorchRuntime(net, device)
        self._tried_openvino = device.type != "cpu"
        self._seen = 0

    def see(self, images: Sequence[Pixels]) -> Patches:
        """See `PatchSource`."""
        self._seen += len(images)
        if self._seen > OPENVINO_AFTER and not self._tried_openvino:
            self._tried_openvino = True
            examples = example_inputs()
            expected = self._runtime.run(examples)
            faster = try_openvino(self._net, examples, expected, "the starter's cells")
            self._runtime = faster or self._runtime
        height, width = self.grid
        tokens = np.empty((len(images), height * width, self.width), np.float32)
        joint = np.empty((len(images), height * width, WIDTH), np.float32)
        for start in range(0, len(images), AT_ONCE):
            batch = torch.stack([classifier_input(one) for one in images[start:][:AT_ONCE]])
            found = self._runtime.run(batch.numpy()).float().cpu()
            here = slice(start, start + len(batch))
            tokens[here] = found[..., : self.width].numpy()
            chances = found[..., self.width :].softmax(dim=-1)
            mixed = conse(chances.flatten(0, 1).numpy(), self._classes)
            joint[here] = mixed.reshape(len(batch), height * width, WIDTH)
        return Patches(tokens, joint)


class _Cells(nn.Module):
    """From inputs of the classifier to each cell's channels and class logits [B, T, W + 1000]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        parts = (network.get_submodule(name) for name in ("conv_stem", "bn1", "blocks"))
        self.map = nn.Sequential(*parts)
        head = (network.get_submodule(name) for name in ("conv_head", "bn2"))
        self.head = nn.Sequential(*head)
        self.classifier = network.get_submodule("classifier")
        self.width = int(network.get_submodule("conv_head").get_parameter("weight").shape[1])

    def forward(self, inputs: Tensor) -> Tensor:
        cells = self.map(inputs)
        logits = self.classifier(self.head(cells).flatten(2).transpose(1, 2))
        return torch.cat([cells.flatten(2).transpose(1, 2), logits], dim=2)


def attention_rows(
    patches: Patches, mask: Mask, texts: Vectors | None, grid: tuple[int, int]
) -> NDArray[np.float32]:
    """How much each place shows each noun.

    Args:
        patches: Of N pictures.
        mask: See `Mask`.
        texts: Unit vectors of the nouns [C, F]; only `text` needs them.
        grid: (h, w).

    Returns:
        [N, C, T]; C is 1 where it is the same for all nouns.

    Raises:
        TagoodError: If `text` is asked for where cells and texts lie in no common space.
    """
    count, places, _ = patches.tokens.shape
    if mask == "all":
        return np.zeros((count, 1, places), np.float32)
    if mask == "centre":
        return np.broadcast_to(centre_weights(grid), (count, 1, places))
    if patches.joint is None or texts is None or patches.joint.shape[2] != texts.shape[1]:
        raise TagoodError(
            "these tokens lie in no common space with texts, so no noun can mark them; use "
            "--mask centre or --mask all"
        )
    return np.einsum("ntf,cf->nct", patches.joint, texts, optimize=True).astype(np.float32)


def centre_weights(grid: tuple[int, int]) -> NDArray[np.float32]:
    """A Gaussian over the middle of a map, row by row [T]."""
    height, width = grid
    y, x = (np.abs((np.arange(side) + 0.5) * 2 / side - 1) for side in (height, width))
    squared = y[:, None] ** 2 + x[None, :] ** 2
    return np.exp(-squared / (2 * SPREAD**2)).reshape(-1).astype(np.float32)
