"""Eight views, one network: counted, not timed."""

import gc
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from detectors.build import load_detector
from detectors.features.extractors import ExtractorKey, Extractors, FeatureExtractor
from detectors.models.padim import PadimDetector
from detectors.types import Pixels
from detectors.views import detect_views
from novic.runtime import OpenVinoRuntime

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
KEY = ExtractorKey("lite0", (0, 7, 90), (64, 96), CPU)


def alive(kind: type) -> set[int]:
    gc.collect()
    return {id(thing) for thing in gc.get_objects() if type(thing) is kind}


def test_eight_views_share_one_network_and_one_runtime(
    fitted: PadimDetector, normal: list[Pixels], tmp_path: Path
):
    fitted.save(tmp_path / "view")
    before = {kind: alive(kind) for kind in (FeatureExtractor, OpenVinoRuntime, nn.Sequential)}
    shared = Extractors()
    views = [load_detector(tmp_path / "view", CPU, shared) for _ in range(8)]
    results = detect_views([(view, normal[:1]) for view in views])
    assert {float(result.scores[0]) for result in results} == {float(results[0].scores[0])}

    padims = [view for view in views if isinstance(view, PadimDetector)]
    assert len({id(view.extractor) for view in padims}) == 1
    assert len({id(view.extractor.backbone) for view in padims}) == 1
    assert len({id(view.extractor.runtime) for view in padims}) == 1
    assert len(alive(FeatureExtractor) - before[FeatureExtractor]) == 1
    assert len(alive(OpenVinoRuntime) - before[OpenVinoRuntime]) == 1
    # A second copy of the network would bring as many layers again.
    layers = alive(nn.Sequential) - before[nn.Sequential]
    own = [
        part
        for part in padims[0].extractor.backbone.network.modules()
        if type(part) is nn.Sequential
    ]
    assert len(layers) < 2 * len(own)


def test_owners_share_nothing():
    assert Extractors().extractor(KEY) is not Extractors().extractor(KEY)


def test_other_sizes_and_channels_have_other_runtimes_over_one_network():
    shared = Extractors()
    first = shared.extractor(KEY)
    larger = shared.extractor(replace(KEY, size=(96, 96)))
    fewer = shared.extractor(replace(KEY, channels=(0, 7)))
    assert shared.extractor(KEY) is first
    assert len({id(one.runtime) for one in (first, larger, fewer)}) == 3
    assert first.backbone is larger.backbone is fewer.backbone is shared.backbone("lite0")
    assert (first.grid, larger.grid) == ((8, 12), (12, 12))


def test_what_nobody_uses_goes():
    shared = Extractors()
    kept = shared.extractor(KEY)
    number = id(kept.backbone)
    assert id(shared.backbone("lite0")) == number
    del kept
    gc.collect()
    before = alive(FeatureExtractor)
    again = shared.extractor(KEY)
    assert alive(FeatureExtractor) - before == {id(again)}
