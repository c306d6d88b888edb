import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.frames import BATCH, stacked
from detectors.scaling import input_size, thinned
from detectors.types import Pixels


@pytest.mark.parametrize(
    ("frame", "size"),
    [
        pytest.param((480, 640), (480, 640), id="as it is"),
        pytest.param((576, 768), (480, 640), id="smaller"),
        pytest.param((1080, 1920), (352, 640), id="to a multiple of 16"),
        pytest.param((120, 160), (240, 320), id="enlarged at most twofold"),
        pytest.param((1, 1), (32, 32), id="never below two cells of the coarse stage"),
        pytest.param((10, 4000), (32, 640), id="a line"),
    ],
)
def test_input_size(frame: tuple[int, int], size: tuple[int, int]):
    assert input_size(frame, 640, step=16) == size


@given(st.integers(1, 8000), st.integers(1, 8000))
def test_any_frame_gets_a_size_the_network_takes(height: int, width: int):
    rows, columns = input_size((height, width), 640, step=16)
    assert rows % 16 == columns % 16 == 0
    assert 32 <= min(rows, columns) <= max(rows, columns) <= 640


def flat(value: int) -> Pixels:
    return np.full((2, 3, 3), value, np.uint8)


def test_thinning_is_even_and_keeps_both_ends():
    frames = [flat(number) for number in range(10)]
    assert [int(frame[0, 0, 0]) for frame in thinned(frames, 4)] == [0, 3, 6, 9]
    assert len(thinned(frames, 20)) == 10


def test_batches_are_full_but_for_the_last():
    batches = list(stacked(flat(number) for number in range(BATCH + 3)))
    assert [batch.shape for batch in batches] == [(BATCH, 2, 3, 3), (3, 2, 3, 3)]
    assert batches[1][0, 0, 0, 0] == BATCH
