"""How towers are run: batches, vectors, memory."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from novic.embedder import EmbedderError
from novic.embedders.towers import ON_CPU, Inputs, Runner, stacked

RUNNER = Runner("openclip:a/b", torch.device("cpu"), None)


def prepare(numbers: Sequence[int]) -> Inputs:
    return {"x": torch.tensor([[number, 1.0] for number in numbers])}


def embed(numbers: Sequence[int], most: int, asked: list[int]) -> np.ndarray:
    """Embed numbers with a tower whose memory holds so many at once."""

    def encode(inputs: Inputs) -> Tensor:
        asked.append(len(inputs["x"]))
        if len(inputs["x"]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return inputs["x"]

    return stacked(RUNNER.run(numbers, "texts", prepare, encode), 2)


@pytest.mark.parametrize("count", [0, 1, ON_CPU["texts"], ON_CPU["texts"] + 1, 200])
def test_items_come_in_order_whatever_the_batches(count: int):
    found = embed(range(count), most=1000, asked=[])
    assert found.shape == (count, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0], np.arange(count) * found[:, 1], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_a_batch_that_is_too_large_is_halved():
    asked: list[int] = []
    found = embed(range(64), most=20, asked=asked)
    assert asked == [64, 32, 16, 16, 32, 16, 16]
    np.testing.assert_allclose(found, embed(range(64), most=64, asked=[]))


def test_a_memory_for_nothing_is_told():
    with pytest.raises(EmbedderError, match="does not fit into the memory of cpu"):
        embed(range(4), most=0, asked=[])


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 0.0])
def test_vectors_without_length_are_refused(bad: float):
    def encode(inputs: Inputs) -> Tensor:
        features = inputs["x"].clone()
        features[1] = bad
        return features

    with pytest.raises(EmbedderError, match="vectors that are zero or not finite for 1 of 3 texts"):
        RUNNER.run(range(3), "texts", prepare, encode)


def test_half_precision_is_blamed_where_it_is_used():
    runner = Runner("openclip:a/b", torch.device("cpu"), torch.bfloat16)
    with pytest.raises(EmbedderError, match="use precision bf16 or fp32"):
        runner.run(range(1), "texts", prepare, lambda inputs: inputs["x"] * torch.nan)
