"""Networks in the fastest runtime whose answers were checked; only this module knows OpenVINO."""

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

    def run(self, inputs: NDArray[Any]) -> torch.Tensor:
        """Run one batch.

        Args:
            inputs: What the network takes, [B, ...]; of a backbone images uint8 [B, H, W, 3].

        Returns:
            What it gives, float32 [B, ...] on the runtime's device; of a backbone features
            [B, D, h, w].
        """
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
    def run(self, inputs: NDArray[Any]) -> torch.Tensor:
        """Answers [B, ...], float32 on the device, to inputs [B, ...]."""
        batch = torch.from_numpy(np.ascontiguousarray(inputs)).to(self._device)
        return self._network(batch).float()


class OpenVinoRuntime:
    """OpenVINO on the CPU in full precision."""

    name = "openvino"

    def __init__(self, network: nn.Module, example: NDArray[Any]) -> None:
        """Convert and compile the network.

        Args:
            network: Takes one tensor and gives one float tensor.
            example: An input [1, ...]; of its shape only the batch size stays free.

        Raises:
            RuntimeError: Or an ImportError, if OpenVINO is missing or refuses the network.
        """
        openvino = _import_openvino()
        # A traced function holds its weights as constants, which cannot be trained.
        own = deepcopy(network).requires_grad_(requires_grad=False)

        def answers(batch: torch.Tensor) -> torch.Tensor:
            return own(batch)

        with torch.inference_mode(), warnings.catch_warnings():
            # OpenVINO reads TorchScript, whose tracer announces its own end.
            warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=FutureWarning)
            warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
            # Branches on sizes become constants, and the size is one; the answers are compared.
            warnings.filterwarnings("ignore", message="Converting a tensor to a Python")
            # OpenVINO would trace the module itself, and check the trace; torch would read through
            # the source of every layer. A traced function takes a third of the time.
            traced = torch.jit.trace(answers, torch.from_numpy(example), check_trace=False)
            model = openvino.convert_model(traced, input=[-1, *example.shape[1:]])
        options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = openvino.Core().compile_model(model, "CPU", options)

    def run(self, inputs: NDArray[Any]) -> torch.Tensor:
        """Answers [B, ...], float32 on the CPU, to inputs [B, ...]."""
        return torch.from_numpy(self._compiled(np.ascontiguousarray(inputs))[0])


def _import_openvino() -> Any:  # noqa: ANN401  # the module
    """Import OpenVINO; the one place that does.

    It reports every import and conversion to its makers over the network through a package of
    theirs, and writes an id into the home folder. Without that package it falls back to a silent
    stand-in of its own.
    """
    sys.modules["openvino_telemetry"] = None  # pyright: ignore[reportArgumentType]
    import openvino  # noqa: PLC0415  # after the line above

    return openvino


def try_openvino(
    network: nn.Module, examples: NDArray[Any], expected: torch.Tensor, what: str
) -> OpenVinoRuntime | None:
    """OpenVINO for a network on the CPU, if it is there and agrees with torch; takes seconds.

    Args:
        network: Takes one tensor and gives one float tensor; in evaluation mode.
        examples: Inputs [B, ...] that both are compared on.
        expected: torch's answers to them [B, ...].
        what: What the log calls the network.

    Returns:
        None, and the reason in the log, where torch has to go on.
    """
    try:
        runtime = OpenVinoRuntime(network, examples[:1])
        difference = relative_difference(runtime.run(examples), expected)
    except (ImportError, RuntimeError) as error:
        _log.warning("OpenVINO cannot run %s, torch does (slower): %s", what, error)
        return None
    if not difference <= TOLERANCE:
        _log.warning(
            "OpenVINO's answers of %s differ from torch's by %.2g (at most %.2g is accepted); "
            "torch runs it (slower)",
            what,
            difference,
            TOLERANCE,
        )
        return None
    return runtime


def build_runtime(network: nn.Module, size: tuple[int, int], device: torch.device) -> Runtime:
    """Choose the runtime of a backbone: OpenVINO on a CPU if it agrees with torch, else torch.

    Args:
        network: Takes uint8 [B, H, W, 3] and gives one float tensor; in evaluation mode.
        size: (H, W) of the images.
        device: Where to run.
    """
    plain = TorchRuntime(network, device)
    if device.type != "cpu":
        return plain
    examples = example_images(size)
    return try_openvino(network, examples, plain.run(examples), "the backbone") or plain


def example_images(size: tuple[int, int]) -> NDArray[np.uint8]:
    """Two pictures of every brightness and grain, uint8 [2, H, W, 3]."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 200, size[1], dtype=np.float32)[None, :, None]
    image = ramp + rng.uniform(0, 55, (*size, 3))
    return np.stack([image, image[::-1, ::-1]]).astype(np.uint8)


def relative_difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference over the standard deviation of what is expected; NaN if `found` is.

    Args:
        found: Any float tensor [...].
        expected: One of the same shape.
    """
    return float((found - expected).abs().max() / expected.std().clamp_min(1e-12))
