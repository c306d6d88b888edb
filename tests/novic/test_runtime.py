import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from novic import runtime
from novic.device import resolve_device
from novic.errors import UsageError
from novic.openvino_core import first_calls
from novic.persons import PEDESTRIANS, network_path
from novic.runtime import (
    GraphFile,
    OpenVinoRuntime,
    TorchRuntime,
    build_runtime,
    example_images,
    native_precision,
    relative_difference,
)

CPU = torch.device("cpu")
SIZE = (16, 32)


class Grey(nn.Module):
    """The mean of the colours, convolved."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(3, 5, 3, stride=2, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layer(images.permute(0, 3, 1, 2).to(self.layer.weight.dtype) / 255)


def test_openvino_runs_the_network_on_a_cpu_and_agrees():
    network = Grey().eval()
    built = build_runtime(network, SIZE, CPU)
    assert built.name == "openvino"
    images = np.random.default_rng(1).integers(0, 256, (3, *SIZE, 3), np.uint8)
    expected = network(torch.from_numpy(images))
    torch.testing.assert_close(built.run(images), expected, rtol=1e-4, atol=1e-5)


def test_any_batch_size_runs():
    built = OpenVinoRuntime(Grey().eval(), example_images(SIZE)[:1])
    for count in (1, 5, 2):
        assert built.run(np.zeros((count, *SIZE, 3), np.uint8)).shape == (count, 5, 8, 16)


def test_a_runtime_that_disagrees_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    class Wrong(OpenVinoRuntime):
        def run(self, inputs: np.ndarray) -> torch.Tensor:
            return super().run(inputs) * 1.01

    monkeypatch.setattr(runtime, "OpenVinoRuntime", Wrong)
    with caplog.at_level(logging.WARNING):
        built = build_runtime(Grey().eval(), SIZE, CPU)
    assert built.name == "torch"
    assert "OpenVINO's answers of the backbone differ from torch's by" in caplog.text


def test_without_openvino_torch_runs_in_full_precision(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setitem(sys.modules, "openvino", None)
    built = build_runtime(Grey().eval(), SIZE, CPU, "bfloat16")
    assert (built.name, built.precision) == ("torch", "float32")
    assert "torch does (slower)" in caplog.text
    assert native_precision(CPU) == "float32"


def test_a_cpu_that_knows_bfloat16_computes_in_it_close_to_torch():
    if native_precision(CPU) != "bfloat16":
        pytest.skip("this CPU has no instructions for bfloat16")
    network = Grey().eval()
    images = np.random.default_rng(1).integers(0, 256, (3, *SIZE, 3), np.uint8)
    exact, rounded = (build_runtime(network, SIZE, CPU, p) for p in ("float32", "bfloat16"))
    assert [exact.precision, rounded.precision] == ["float32", "bfloat16"]
    apart = relative_difference(rounded.run(images), exact.run(images))
    assert 1e-4 < apart < 0.05
    alone = torch.cat([rounded.run(image[None]) for image in images])
    torch.testing.assert_close(alone, rounded.run(images), rtol=1e-2, atol=1e-3)


def test_a_network_that_bears_no_rounding_is_computed_in_float32(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(runtime, "ROUNDED", -1.0)
    built = build_runtime(Grey().eval(), SIZE, CPU, "bfloat16")
    assert (built.name, built.precision) == ("openvino", "float32")
    assert "in bfloat16 the backbone differs from torch by" in caplog.text


def test_a_network_that_gives_no_numbers_is_caught():
    expected = TorchRuntime(Grey().eval(), CPU).run(example_images(SIZE))
    difference = relative_difference(expected * float("nan"), expected)
    assert not difference <= runtime.TOLERANCE


@pytest.mark.slow
def test_openvino_never_loads_its_telemetry():
    code = (
        "import sys, torch\n"
        "from tests.novic.test_runtime import Grey, SIZE\n"
        "from novic.runtime import OpenVinoRuntime, example_images\n"
        "OpenVinoRuntime(Grey().eval(), example_images(SIZE)[:1])\n"
        "print(sorted(m for m in sys.modules if 'telemetry' in m and sys.modules[m]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "openvino_telemetry" not in done.stdout


@pytest.mark.slow
def test_ctrl_c_stops_a_process_whose_networks_come_and_go():
    code = (
        "import faulthandler, gc, signal, torch\n"
        "from tests.novic.test_runtime import CPU, SIZE, Grey\n"
        "from novic.runtime import build_runtime, native_precision\n"
        "faulthandler.enable()\n"
        "native_precision(CPU)\n"
        "first = build_runtime(Grey().eval(), SIZE, CPU)\n"
        "second = build_runtime(Grey().eval(), SIZE, CPU, 'bfloat16')\n"
        "del first; gc.collect()\n"
        "del second; gc.collect()\n"
        "try:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr


@pytest.mark.gpu
def test_cuda_agrees_within_half_precision():
    try:
        device = resolve_device("cuda")
    except UsageError as reason:
        pytest.skip(str(reason))
    fast = TorchRuntime(Grey().eval(), device)
    images = np.random.default_rng(1).integers(0, 256, (3, *SIZE, 3), np.uint8)
    slow = TorchRuntime(Grey().eval(), CPU)
    torch.testing.assert_close(fast.run(images).cpu(), slow.run(images), rtol=1e-2, atol=1e-2)


def test_what_a_file_is_compiled_to_is_kept_and_made_anew_where_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path))
    path = network_path(PEDESTRIANS)
    picture = np.random.default_rng(0).integers(0, 256, PEDESTRIANS.shape, dtype=np.uint8)
    first = GraphFile(path, PEDESTRIANS.shape).run(picture)
    (kept,) = (tmp_path / "cache" / "graphs").iterdir()
    written = kept.stat().st_ino
    for damage in (None, b"no blob", kept.read_bytes()[:-9] + b"otherwise"):
        if damage is not None:
            kept.write_bytes(damage)
        again = GraphFile(path, PEDESTRIANS.shape).run(picture)
        # Of an output's names some are not kept.
        assert {f"detection_{what}:0" for what in ("boxes", "classes", "scores")} <= again.keys()
        assert all((first[name] == again[name]).all() for name in again)
        assert (kept.stat().st_ino == written) == (damage is None)
    assert [file.name for file in kept.parent.iterdir()] == [kept.name]


def test_where_nothing_can_be_kept_it_is_compiled_each_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NOMALY_HOME", "/proc/home")
    picture = np.zeros(PEDESTRIANS.shape, np.uint8)
    assert GraphFile(network_path(PEDESTRIANS), PEDESTRIANS.shape).run(picture)


def test_threads_may_ask_one_network_at_once():
    grey = OpenVinoRuntime(Grey(), np.zeros((1, 64, 64, 3), np.uint8))
    pictures = np.random.default_rng(0).integers(0, 255, (4, 1, 64, 64, 3), dtype=np.uint8)
    expected = [grey.run(picture) for picture in pictures]

    def same(number: int) -> bool:
        return all(torch.equal(grey.run(pictures[number]), expected[number]) for _ in range(50))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(same, range(4)))


def test_first_calls_of_threads_come_one_after_the_other():
    """OpenVINO prepares itself in them; of eight at once some waited for each other for ever."""
    images = example_images(SIZE)[:1]
    built, answers = OpenVinoRuntime(Grey().eval(), images), []
    thread = threading.Thread(target=lambda: answers.append(built.run(images)), daemon=True)
    with first_calls:
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(30)
    assert len(answers) == 1
    built.run(images)
    with first_calls:
        built.run(images)  # no first call of this thread
