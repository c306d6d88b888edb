import pytest
import torch

from detectors.maps import blur


def test_blur_keeps_a_flat_map_and_the_weight_of_a_peak():
    flat = torch.full((1, 6, 7), 3.0)
    torch.testing.assert_close(blur(flat, 0.7), flat)
    peak = torch.zeros(1, 9, 9)
    peak[0, 4, 4] = 1
    blurred = blur(peak, 0.5)
    assert blurred.sum() == pytest.approx(1)
    assert blurred[0, 4, 4] == blurred.max() < 1
