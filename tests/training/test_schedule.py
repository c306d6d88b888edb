import math

import pytest

from novic.errors import UsageError
from training.schedule import Length, learning_rate, run_length


def test_released_runs_have_433_and_899_chunks():
    ft0 = run_length(samples=51_735_663, nouns=42_919, batch_size=512, accumulate=16)
    assert ft0 == Length(epoch_batches=101_040, chunk_batches=4192, chunks=433, accumulate=16)
    assert ft0.steps == 113_446
    ft2 = run_length(samples=29_730_000, nouns=11_897, batch_size=512, accumulate=16)
    assert (ft2.chunk_batches, ft2.chunks, ft2.steps) == (1162, 899, 65_289)


def test_a_step_belongs_to_the_chunk_of_its_last_batch():
    # Chunks of 10 batches, steps of 4: the third step ends with batch 11, the first of chunk 1.
    length = Length(epoch_batches=100, chunk_batches=10, chunks=5, accumulate=4)
    assert [length.chunk(step) for step in range(12)] == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4]
    assert length.steps == 12


def test_a_short_run_is_one_chunk():
    length = run_length(samples=100, nouns=1000, batch_size=10, accumulate=2, epochs=3)
    assert length == Length(epoch_batches=10, chunk_batches=30, chunks=1, accumulate=2)
    assert length.steps == 15


def test_too_few_samples_are_refused():
    with pytest.raises(UsageError, match="60 samples are fewer than the 64 of one step"):
        run_length(samples=60, nouns=5, batch_size=32, accumulate=2)


def test_the_rate_is_a_cosine_over_the_chunks():
    rates = [learning_rate(chunk, 433, 1.5e-3) for chunk in range(433)]
    assert rates[0] == 1.5e-3
    for chunk in (1, 100, 432):
        expected = 1.5e-3 * 0.5 * (1 + math.cos(math.pi * chunk / 433))
        assert rates[chunk] == pytest.approx(expected)
    assert rates[-1] > 0


def test_the_last_chunk_runs_at_the_final_rate():
    assert learning_rate(9, 10, 1e-3, final=1e-4) == pytest.approx(1e-4)
    assert learning_rate(0, 10, 1e-3, final=1e-4) == pytest.approx(1e-3)
    assert learning_rate(0, 1, 1e-3, final=1e-4) == pytest.approx(1e-3)


def test_the_rate_rises_evenly_while_warming_up():
    rates = [learning_rate(chunk, 10, 1.0, warmup=3) for chunk in range(5)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates[4] == pytest.approx((1 + math.cos(math.pi / 7)) / 2)
