"""Networks that were compiled before need neither a compiler nor the library they come from."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from novic.embedders.starter import StarterEmbedder
from novic.runtime import OpenVinoRuntime, build_kept, build_runtime, example_images
from tests.novic.test_runtime import CPU, SIZE, Grey

IMAGE = np.full((40, 30, 3), 120, np.uint8)
AGAIN = """
import sys, torch
from novic.embedders.starter import StarterEmbedder
import numpy as np
embedder = StarterEmbedder()
embedder.warm_up()
np.save(sys.argv[1], embedder.embed_images([np.full((40, 30, 3), 120, np.uint8)]))
print(sorted({"timm", "torchvision"} & sys.modules.keys()))
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path))
    return tmp_path / "cache" / "networks"


def build() -> OpenVinoRuntime:
    built = build_runtime(Grey().eval(), SIZE, CPU, "bfloat16")
    assert isinstance(built, OpenVinoRuntime)
    return built


def never() -> OpenVinoRuntime:
    raise AssertionError("it was kept")


def test_what_was_built_once_is_taken_and_answers_alike_in_its_precision(home: Path):
    first = build_kept("grey 1", build, CPU)
    again = build_kept("grey 1", never, CPU)
    images = example_images(SIZE)
    assert again.precision == first.precision
    np.testing.assert_array_equal(again.run(images), first.run(images))
    assert len([*home.iterdir()]) == 1


def test_what_is_damaged_of_other_make_or_of_unknown_make_is_built_anew(home: Path):
    build_kept("grey 1", build, CPU)
    [kept] = home.iterdir()
    kept.write_bytes(b"no network")
    built: list[str] = []

    def noted() -> OpenVinoRuntime:
        built.append("built")
        return build()

    build_kept("grey 1", noted, CPU)
    build_kept("grey 2", noted, CPU)
    build_kept("", noted, CPU)
    assert len(built) == 3
    assert len([*home.iterdir()]) == 2
    build_kept("grey 1", never, CPU)


def test_a_runtime_of_another_kind_is_not_kept(home: Path):
    from novic.runtime import TorchRuntime

    build_kept("grey 1", lambda: TorchRuntime(Grey().eval(), torch.device("cpu")), CPU)
    assert not home.exists()


def test_the_next_process_embeds_alike_without_the_library_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # A watch that was tested before in this process computes on one core a call.
    monkeypatch.setattr("novic.openvino_core._of_calls", {})
    embedder = StarterEmbedder()
    embedder.warm_up()
    path = tmp_path / "next.npy"
    said = subprocess.run(
        [sys.executable, "-c", AGAIN, str(path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
    np.testing.assert_allclose(np.load(path), embedder.embed_images([IMAGE]), atol=1e-6)
