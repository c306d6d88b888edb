import numpy as np
import pytest
import torch

from detectors.features.extractors import ExtractorKey, FeatureExtractor
from detectors.features.remembering import RememberingExtractors

SIZE = (32, 48)
KEY = ExtractorKey("lite0", (0, 5, 70), SIZE, torch.device("cpu"))
PICTURES = np.random.default_rng(0).integers(0, 256, (4, *SIZE, 3), dtype=np.uint8)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures the network looked at, each time it did."""
    counts: list[int] = []
    looks = FeatureExtractor.features

    def counted(self: FeatureExtractor, pictures: np.ndarray) -> torch.Tensor:
        counts.append(len(pictures))
        return looks(self, pictures)

    monkeypatch.setattr(FeatureExtractor, "features", counted)
    return counts


def test_what_was_seen_is_not_looked_at_again_in_whatever_batch(looked: list[int]):
    extractors = RememberingExtractors()
    extractor = extractors.extractor(KEY)
    first = extractor.features(PICTURES[:3])
    again = extractors.extractor(KEY).features(PICTURES[[3, 1]])
    torch.testing.assert_close(again[1], first[1])
    assert looked == [3, 1]
    extractors.forget()
    torch.testing.assert_close(extractor.features(PICTURES[:3]), first)
    assert looked == [3, 1, 3]


def test_what_does_not_fit_is_looked_at_again(looked: list[int]):
    of_one = 3 * (SIZE[0] // 8) * (SIZE[1] // 8) * 4
    extractor = RememberingExtractors(most_bytes=2 * of_one).extractor(KEY)
    first = extractor.features(PICTURES)
    torch.testing.assert_close(extractor.features(PICTURES), first)
    assert looked == [4, 2]
