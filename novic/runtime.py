"""Networks in the fastest runtime whose answers were checked."""

import hashlib
import io
import logging
import threading
import warnings
from collections.abc import Callable
from contextlib import nullcontext, suppress
from copy import copy, deepcopy
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from novic.blobs import keep_blob, read_blob
from novic.digest import file_sha256
from novic.folders import cache_folder
from novic.openvino_core import call_options, core_of, first_calls, import_openvino

_log = logging.getLogger(__name__)

type Precision = Literal["float32", "float16", "bfloat16"]
"""What a network computes in."""

_PRECISIONS: dict[str, Precision] = {"float32": "float32", "bfloat16": "bfloat16"}
_OF_FILES = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
"""How networks in files are compiled."""
TOLERANCE = 1e-3
"""Largest difference to torch's answer that is accepted, over the spread of that answer."""
ROUNDED = 0.25
"""The same in bfloat16, as a root mean square. It has 8 bits: single values move by a spread, all
together by .07 of it on photographs and .1 on the examples (EfficientNet-Lite0), as torch's own
bfloat16 does. That the network was read correctly is therefore asked in float32 first."""


class Runtime(Protocol):
    """Runs one network on one device."""

    @property
    def name(self) -> str:
        """`torch` or `openvino`."""
        ...

    @property
    def precision(self) -> Precision:
        """What it really computes in."""
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
    """Plain torch, channels-last.

    On a CPU always in float32: answers of OpenVINO in bfloat16 are nearer to these (rms .065 of
    their spread) than to torch's in bfloat16 (.096), which rounds elsewhere and is slow.
    """

    name = "torch"

    def __init__(
        self, network: nn.Module, device: torch.device, precision: Precision = "float32"
    ) -> None:
        """Copy the network to its device; the caller's own stays as it is."""
        self._device = device
        self.precision: Precision = "float32" if device.type == "cpu" else precision
        own = deepcopy(network).to(device, dtype=getattr(torch, self.precision))
        self._network = own.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    @torch.inference_mode()
    def run(self, inputs: NDArray[Any]) -> torch.Tensor:
        """Answers [B, ...], float32 on the device, to inputs [B, ...]."""
        batch = torch.from_numpy(np.ascontiguousarray(inputs))
        if self._device.type == "cuda":
            batch = batch.pin_memory()  # copied while the GPU still works at the batch before
        return self._network(batch.to(self._device, non_blocking=True)).float()


class OpenVinoRuntime:
    """OpenVINO on the CPU, in float32 unless `rounding` says otherwise; threads may share it."""

    name = "openvino"

    def __init__(self, network: nn.Module, example: NDArray[Any]) -> None:
        """Convert and compile the network.

        Args:
            network: Takes one tensor and gives one float tensor.
            example: An input [1, ...]; of its shape only the batch size stays free.

        Raises:
            RuntimeError: Or an ImportError, if OpenVINO is missing or refuses the network.
        """
        openvino = import_openvino()
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
            self._model = openvino.convert_model(traced, input=[-1, *example.shape[1:]])
        self._compile("f32")

    def rounding(self) -> Self:
        """The same network in bfloat16 where OpenVINO can, else in float32; see `precision`.

        On x86 CPUs that have AVX-512 and no instructions for bfloat16 OpenVINO imitates them, in
        twice the time of float32 and with the same answers (rms .001 of their spread); on those
        without AVX-512, and on ARM, it goes on in float32 (its `precision_support.cpp`).
        """
        other = copy(self)
        other._compile("bf16")
        return other

    def _compile(self, precision: str) -> None:
        openvino = import_openvino()
        self._requests = threading.local()
        self._compiled = core_of(openvino).compile_model(
            self._model, "CPU", call_options(precision)
        )
        found = self._compiled.get_property("INFERENCE_PRECISION_HINT")
        self.precision: Precision = "bfloat16" if found == openvino.Type.bf16 else "float32"

    @classmethod
    def kept(cls, made_of: str) -> Self | None:
        """What `keep` kept under these words; None if there is nothing that can be used."""
        try:
            precision, _, blob = read_blob(_kept_at(made_of)).partition(b"\n")
            found = cls.__new__(cls)
            found._requests, found.precision = threading.local(), _PRECISIONS[precision.decode()]
            options = call_options("bf16" if precision == b"bfloat16" else "f32")
            core = core_of(import_openvino())
            found._compiled = core.import_model(io.BytesIO(blob), "CPU", options)
        except (ImportError, KeyError, OSError, RuntimeError, ValueError):
            return None
        return found

    def keep(self, made_of: str) -> None:
        """Keep what was compiled, if it can be, for the next process on this machine.

        Args:
            made_of: All that its answers depend on but OpenVINO and the processor.
        """
        with suppress(ImportError, OSError, RuntimeError):
            blob = self._compiled.export_model().getvalue()
            keep_blob(_kept_at(made_of), self.precision.encode() + b"\n" + blob)

    def run(self, inputs: NDArray[Any]) -> torch.Tensor:
        """Answers [B, ...], float32 on the CPU, to inputs [B, ...], computed one by one.

        What a network makes of one picture stays in the CPU's cache. Of eight it does not: they
        take 20% longer together (640x480, bfloat16), and as long or 15% longer at 260x260.
        """
        batch = np.ascontiguousarray(inputs)
        singly = (batch[start : start + 1] for start in range(max(1, len(batch))))
        return torch.from_numpy(np.concatenate([self._answer(one) for one in singly]))

    def _answer(self, one: NDArray[Any]) -> NDArray[Any]:
        # A request answers one thread at a time, and refuses the others.
        if not hasattr(self._requests, "mine"):
            with first_calls:
                request = self._compiled.create_infer_request()
                answer = request.infer(one)[0]
            self._requests.mine = request
            return answer
        return self._requests.mine.infer(one)[0]


def _kept_at(made_of: str) -> Path:
    """Where a network is kept that was compiled for this processor by this OpenVINO."""
    openvino = import_openvino()
    processor = core_of(openvino).get_property("CPU", "FULL_DEVICE_NAME")
    able = sorted(core_of(openvino).get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    how = f"{openvino.__version__} {processor} {able} {call_options('')} {TOLERANCE} {ROUNDED}"
    words = f"{made_of} {how}"
    return cache_folder() / "networks" / f"{hashlib.sha256(words.encode()).hexdigest()[:24]}.blob"


class GraphFile:
    """A network in a file that OpenVINO reads itself (TensorFlow graph, tflite), on one thread.

    What it is compiled to is kept in the cache folder: to compile it takes ten times as long as to
    read that (1.8 for .15 s of a network of 13 MB).
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        """Read and compile it.

        Args:
            path: The file.
            shape: Of its one input, with the batch.

        Raises:
            RuntimeError: Or an ImportError, if OpenVINO is missing or refuses the file.
        """
        self._called = False
        openvino = import_openvino()
        core, options = core_of(openvino), _OF_FILES
        made_of = f"{file_sha256(path)} {shape} {options} {openvino.__version__}"
        key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
        kept = cache_folder() / "graphs" / f"{path.stem}-{key}.blob"
        try:
            blob = io.BytesIO(read_blob(kept))
            self._compiled = core.import_model(blob, "CPU", options)
        except (OSError, ValueError, RuntimeError):
            model = core.read_model(str(path))
            model.reshape({model.input(0): list(shape)})
            self._compiled = core.compile_model(model, "CPU", options)
            # Where it cannot be kept it is made anew the next time.
            with suppress(OSError, RuntimeError):
                keep_blob(kept, self._compiled.export_model().getvalue())

    def run(self, inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """What it gives, by the names of its outputs; float32, with the batch.

        Args:
            inputs: Of the shape and type that it takes.
        """
        with nullcontext() if self._called else first_calls:
            found = self._compiled(np.ascontiguousarray(inputs))
        self._called = True
        named = ((name, values) for output, values in found.items() for name in output.get_names())
        return {name: np.array(values, np.float32) for name, values in named}


def native_precision(device: torch.device) -> Precision:
    """What networks run quickest in on a device: of a CPU what OpenVINO tells of it."""
    if device.type != "cpu":
        return "float16"
    try:
        able = core_of(import_openvino()).get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, RuntimeError):
        return "float32"
    return "bfloat16" if "BF16" in able else "float32"


def try_openvino(
    network: nn.Module,
    examples: NDArray[Any],
    expected: torch.Tensor,
    what: str,
    *,
    rounded: bool = False,
) -> OpenVinoRuntime | None:
    """OpenVINO for a network on the CPU, if it is there and agrees with torch; takes seconds.

    Args:
        network: Takes one tensor and gives one float tensor; in evaluation mode.
        examples: Inputs [B, ...] that both are compared on.
        expected: torch's answers to them [B, ...].
        what: What the log calls the network.
        rounded: Whether it shall compute in bfloat16.

    Returns:
        None, and the reason in the log, where torch has to go on.
    """
    try:
        runtime = OpenVinoRuntime(network, examples[:1])
        difference = relative_difference(runtime.run(examples), expected)
        if rounded and difference <= TOLERANCE:
            runtime = _rounded(runtime, examples, expected, what)
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


def _rounded(
    runtime: OpenVinoRuntime, examples: NDArray[Any], expected: torch.Tensor, what: str
) -> OpenVinoRuntime:
    """The same in bfloat16 if that is as near to torch's answers as it should be."""
    rounded = runtime.rounding()
    apart = (rounded.run(examples) - expected).square().mean().sqrt()
    difference = float(apart / expected.std().clamp_min(1e-12))
    if difference <= ROUNDED:
        return rounded
    _log.warning(
        "in bfloat16 %s differs from torch by %.2g (at most %.2g is accepted); float32 goes on",
        what,
        difference,
        ROUNDED,
    )
    return runtime


def build_runtime(
    network: nn.Module,
    size: tuple[int, int],
    device: torch.device,
    precision: Precision = "float32",
) -> Runtime:
    """Choose the runtime of a backbone: OpenVINO on a CPU if it agrees with torch, else torch.

    Args:
        network: Takes uint8 [B, H, W, 3] and gives one float tensor; in evaluation mode.
        size: (H, W) of the images.
        device: Where to run.
        precision: What it shall compute in; what cannot be had is float32.
    """
    plain = TorchRuntime(network, device, precision)
    if device.type != "cpu":
        return plain
    examples, rounded = example_images(size), precision == "bfloat16"
    expected = plain.run(examples)
    return try_openvino(network, examples, expected, "the backbone", rounded=rounded) or plain


def build_kept(
    made_of: str,
    build: Callable[[], Runtime],
    device: torch.device,
) -> Runtime:
    """A runtime that this machine has built and checked before, else a new one, which is kept.

    Args:
        made_of: All that its answers depend on, as digests of weights and code; empty if that is
            not known, and nothing is kept then.
        build: Builds it; seconds, and much must be imported for it.
        device: Where it runs; only of a CPU something is kept.
    """
    if not made_of or device.type != "cpu":
        return build()
    kept = OpenVinoRuntime.kept(made_of)
    if kept is not None:
        return kept
    built = build()
    if isinstance(built, OpenVinoRuntime):
        built.keep(made_of)
    return built


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
