"""OpenVINO in this process; only this module imports it."""

import os
import sys
import threading
from functools import cache
from typing import Any

import torch

first_calls = threading.Lock()
"""To be held in the first call of a network by a thread: OpenVINO prepares itself then, and of two
threads that do so at once each waits for what the other holds, for ever."""


def one_core_a_call() -> None:
    """Let each call of a network that is built from now on take one core, and torch from now on.

    For a process whose threads look at one camera each. Shared out over all cores, calls of several
    threads wait for each other, and torch's burn the time in which they wait: beside a load of 12 a
    frame took 112 ms of processor time in place of 15 (two cores).
    """
    torch.set_num_threads(1)
    _of_calls.update(INFERENCE_NUM_THREADS=os.cpu_count() or 1, NUM_STREAMS=os.cpu_count() or 1)


_of_calls: dict[str, Any] = {}
"""How OpenVINO shares out its calls, besides what it chooses itself."""


def import_openvino() -> Any:  # noqa: ANN401  # the module
    """Import OpenVINO; the one place that does.

    It reports every import and conversion to its makers over the network through a package of
    theirs, and writes an id into the home folder. Without that package it falls back to a silent
    stand-in of its own.
    """
    sys.modules["openvino_telemetry"] = None  # pyright: ignore[reportArgumentType]
    import openvino  # noqa: PLC0415  # after the line above

    return openvino


@cache
def core_of(openvino: Any) -> Any:  # noqa: ANN401  # the module, and its Core
    """The core of this process, which is never let go.

    The CPU's plugin of every core gives the thread that loads it a stack for signals, and takes it
    back when it goes. With two that go in another order than they came the thread is left with a
    stack that is no longer there, and the next Ctrl-C ends the process.
    """
    return openvino.Core()


def call_options(precision: str) -> dict[str, Any]:
    """How a network is compiled."""
    return {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY", **_of_calls}
