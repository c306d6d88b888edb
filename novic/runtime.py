"""The backbone in the fastest runtime whose answers were checked."""

import logging
import sys
import warnings
from copy import deepcopy
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

_log = logging.getLogger(__name__)

TOLERANCE = 1e-3
"""Largest difference to torch's answer that is accepted, over the spread of that answer."""


class Runtime(Protocol):
    """Runs one network on one device."""

    @property
    def name(self) -> str:
        """`torch` or `openvino`."""
        ...

    def run(self, images: NDArray[np.uint8]) -> torch.Tensor:
        """Features [B, D, h, w], float32, on the runtime's device, of images [B, H, W, 3]."""
        ...


class TorchRuntime:
    """Plain torch; on CUDA in half precision and channels-last."""

    name = "torch"

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        """Copy the network to its device; the caller's own stays as it is."""
        self._device = device
        half = device.type == "cuda"
        own = deepcopy(network).to(device, dtype=torch.float16 if half else torch.float32)
        self._network = own.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    @torch.inference_mode()
    def run(self, images: NDArray[np.uint8]) -> torch.Tensor:
        """See `Runtime.run`."""
        pixels = torch.from_numpy(np.ascontiguousarray(images)).to(self._device)
        return self._network(pixels).float()


class OpenVinoRuntime:
    """OpenVINO on the CPU in full precision."""

    name = "openvino"

    def __init__(self, network: nn.Module, size: tuple[int, int]) -> None:
        """Convert and compile the network.

        Args:
            network: Takes uint8 [B, H, W, 3] and gives one float tensor.
            size: (H, W) of the images; only the batch size stays free.

        Raises:
            RuntimeError: Or an ImportError, if OpenVINO is missing or refuses the network.
        """
        # OpenVINO reports every import and conversion to its makers over the network through this
        # package; without it, it falls back to a silent stand-in of its own.
        sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]
        import openvino  # noqa: PLC0415  # after the line above

        # A traced function holds its weights as constants, which cannot be trained.
        own = deepcopy(network).requires_grad_(requires_grad=False)

        def answers(images: torch.Tensor) -> torch.Tensor:
            return own(images)

        with torch.inference_mode(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=FutureWarning)
            warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
            # OpenVINO would trace the module itself, and check the trace; torch would read through
            # the source of every layer. A traced function takes a third of the time.
            example = torch.zeros(1, *size, 3, dtype=torch.uint8)
            traced = torch.jit.trace(answers, example, check_trace=False)
            model = openvino.convert_model(traced, input=[openvino.PartialShape([-1, *size, 3])])
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        self._compiled = openvino.Core().compile_model(model, "CPU", options)

    def run(self, images: NDArray[np.uint8]) -> torch.Tensor:
        """See `Runtime.run`."""
        return torch.from_numpy(self._compiled(np.ascontiguousarray(images))[0])


def build_runtime(network: nn.Module, size: tuple[int, int], device: torch.device) -> Runtime:
    """Choose the runtime: OpenVINO on a CPU if it agrees with torch, else torch.

    Args:
        network: Takes uint8 [B, H, W, 3] and gives one float tensor; in evaluation mode.
        size: (H, W) of the images.
        device: Where to run.
    """
    plain = TorchRuntime(network, device)
    if device.type != "cpu":
        return plain
    try:
        fast = OpenVinoRuntime(network, size)
        difference = compare(fast, plain, size)
    except (ImportError, RuntimeError) as error:
        _log.warning("OpenVINO cannot run the backbone, torch does (slower): %s", error)
        return plain
    if not difference <= TOLERANCE:
        _log.warning(
            "OpenVINO's features differ from torch's by %.2g (at most %.2g is accepted); "
            "torch runs the backbone (slower)",
            difference,
            TOLERANCE,
        )
        return plain
    return fast


def compare(one: Runtime, other: Runtime, size: tuple[int, int]) -> float:
    """Largest difference of two runtimes' features on a picture of every brightness and grain.

    Returns:
        The difference over the standard deviation of `other`'s features.
    """
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 200, size[1], dtype=np.float32)[None, :, None]
    image = ramp + rng.uniform(0, 55, (*size, 3))
    images = np.stack([image, image[::-1, ::-1]]).astype(np.uint8)
    expected = other.run(images)
    difference = (one.run(images) - expected).abs().max() / expected.std().clamp_min(1e-12)
    return float(difference)
