"""Vectors of patches, against towers that are written out by hand from their weights."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from novic.embedder import EmbedderError, PatchEmbedder, Pixels
from novic.embedders.kinds import build_embedder
from tests.novic.clips import (
    OPENAI_MEAN,
    OPENAI_STD,
    clip_config,
    save_model,
    save_t5_tokenizer,
    siglip_config,
)

CPU = torch.device("cpu")
SIDE, PATCH, WIDTH = 42, 14, 24


def loaded(folder: Path) -> Any:  # noqa: ANN401 - an embedder that also sees patches
    return build_embedder(f"openclip:{folder}", CPU)


def picture(seed: int, side: int = SIDE) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def inputs_of(image: Pixels) -> Tensor:
    """A picture [3, H, W] that has its size already, as CLIP's weights want it."""
    scaled = (image / 255 - np.array(OPENAI_MEAN)) / np.array(OPENAI_STD)
    return torch.from_numpy(scaled).permute(2, 0, 1).float()


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """A ViT of nine patches with QuickGELU, as OpenAI's."""
    folder = tmp_path_factory.mktemp("quick")
    weights = save_model(folder, clip_config(SIDE, "shortest", quick=True))
    return folder, weights


def norm(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    spread = x.var(dim=-1, keepdim=True, correction=0)
    x = (x - x.mean(dim=-1, keepdim=True)) / (spread + 1e-5).sqrt()
    return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def rest_of_block(x: Tensor, mixed: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    """What follows a block's attention."""
    out = weights[f"{name}.attn.out_proj.weight"], weights[f"{name}.attn.out_proj.bias"]
    x = x + functional.linear(mixed, *out)
    inner = norm(x, weights, f"{name}.ln_2") @ weights[f"{name}.mlp.c_fc.weight"].T
    inner = inner + weights[f"{name}.mlp.c_fc.bias"]
    inner = inner * (1.702 * inner).sigmoid()
    return x + functional.linear(
        inner, weights[f"{name}.mlp.c_proj.weight"], weights[f"{name}.mlp.c_proj.bias"]
    )


def vit_by_hand(image: Tensor, weights: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Unit vectors of a picture [F] and of its patches [P, F], by two layers of one head."""
    given = {n.removeprefix("visual."): w for n, w in weights.items() if n.startswith("visual.")}
    cut = functional.unfold(image[None], PATCH, stride=PATCH)[0].T
    patches = cut @ given["conv1.weight"].flatten(1).T
    x = torch.cat([given["class_embedding"][None], patches]) + given["positional_embedding"]
    x = norm(x, given, "ln_pre")
    local = x
    for layer in range(2):
        name = f"transformer.resblocks.{layer}"
        mixed = norm(x, given, f"{name}.ln_1") @ given[f"{name}.attn.in_proj_weight"].T
        query, key, value = (mixed + given[f"{name}.attn.in_proj_bias"]).chunk(3, dim=-1)
        attention = (query @ key.T / query.shape[-1] ** 0.5).softmax(-1)
        local = rest_of_block(x, value, given, name)
        x = rest_of_block(x, attention @ value, given, name)
    whole, parts = (norm(of, given, "ln_post") @ given["proj"] for of in (x[0], local[1:]))
    return functional.normalize(whole, dim=-1), functional.normalize(parts, dim=-1)


def test_patches_of_a_vit_keep_their_own_values_in_the_last_block(
    quick: tuple[Path, dict[str, Tensor]],
):
    folder, weights = quick
    images = [picture(0), picture(1)]
    embedder = loaded(folder)
    whole, patches = embedder.embed_with_patches(images)
    assert (whole.shape, patches.shape) == ((2, WIDTH), (2, 9, WIDTH))
    assert patches.dtype == np.float32
    for number, image in enumerate(images):
        expected, parts = vit_by_hand(inputs_of(image), weights)
        np.testing.assert_allclose(whole[number], expected, atol=1e-5)
        np.testing.assert_allclose(patches[number], parts, atol=1e-5)
    np.testing.assert_array_equal(whole, embedder.embed_images(images))
    # Patches are told apart, and are not what the tower gives for their places.
    assert np.abs(patches[0, 0] - patches[0, 1]).max() > 1e-3


def test_where_all_places_are_alike_each_patch_is_the_whole(
    quick: tuple[Path, dict[str, Tensor]], tmp_path: Path
):
    # Attention over equal places gives their value, which a patch then has without attention.
    weights = dict(quick[1])
    weights["visual.conv1.weight"] = torch.zeros_like(weights["visual.conv1.weight"])
    weights["visual.class_embedding"] = torch.zeros_like(weights["visual.class_embedding"])
    first = weights["visual.positional_embedding"][:1]
    weights["visual.positional_embedding"] = first.repeat(10, 1)
    config = clip_config(SIDE, "shortest", quick=True)
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    save_file(weights, tmp_path / "open_clip_model.safetensors")
    whole, patches = loaded(tmp_path).embed_with_patches([picture(0)])
    np.testing.assert_allclose(patches[0], np.repeat(whole, 9, axis=0), atol=1e-5)


def resnet(folder: Path, side: int, *, positions: bool) -> dict[str, Tensor]:
    """A small ResNet of CLIP's, written; its weights."""
    config = clip_config(side, "shortest", quick=True)
    vision = {"image_size": side, "layers": [1, 1, 1, 1], "width": 8}
    config["model_cfg"]["vision_cfg"] = vision
    torch.manual_seed(0)
    model: Any = open_clip.CLIP(**config["model_cfg"])
    weights = {name: one.clone().contiguous() for name, one in model.state_dict().items()}
    if not positions:
        weights["visual.attnpool.positional_embedding"].zero_()
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(weights, folder / "open_clip_model.safetensors")
    return weights


def test_patches_of_a_resnet_are_the_values_of_its_pool(tmp_path: Path):
    weights = resnet(tmp_path, 64, positions=True)
    image = picture(0, 64)
    whole, patches = loaded(tmp_path).embed_with_patches([image])
    assert (whole.shape, patches.shape) == ((1, WIDTH), (1, 4, WIDTH))
    model: Any = open_clip.create_model(f"local-dir:{tmp_path}").eval()
    with torch.inference_mode():
        maps = model.visual.stem(inputs_of(image)[None])
        for layer in (model.visual.layer1, model.visual.layer2, model.visual.layer3):
            maps = layer(maps)
        places = model.visual.layer4(maps)[0].permute(1, 2, 0).reshape(4, -1)
    pool = {n.removeprefix("visual.attnpool."): w for n, w in weights.items()}
    values = places @ pool["v_proj.weight"].T + pool["v_proj.bias"]
    expected = functional.normalize(values @ pool["c_proj.weight"].T + pool["c_proj.bias"], dim=1)
    np.testing.assert_allclose(patches[0], expected, atol=1e-5)
    np.testing.assert_allclose(whole, loaded(tmp_path).embed_images([image]), atol=1e-6)


def test_the_only_patch_of_a_resnet_without_positions_is_the_whole(tmp_path: Path):
    resnet(tmp_path, 32, positions=False)
    whole, patches = loaded(tmp_path).embed_with_patches([picture(0, 32)])
    np.testing.assert_allclose(patches[:, 0], whole, atol=1e-5)


def test_towers_of_other_forms_are_refused_with_the_reason(tmp_path: Path):
    save_model(tmp_path, siglip_config(16))
    save_t5_tokenizer(tmp_path)
    with pytest.raises(EmbedderError, match=r"gives no vectors of patches: .*\(TimmModel\)"):
        loaded(tmp_path).embed_with_patches([picture(0)])


def test_nothing_has_no_patches(quick: tuple[Path, dict[str, Tensor]]):
    embedder = cast("PatchEmbedder", loaded(quick[0]))
    assert isinstance(embedder, PatchEmbedder)
    whole, patches = embedder.embed_with_patches([])
    assert (whole.shape, patches.shape) == ((0, WIDTH), (0, 0, WIDTH))
    assert not isinstance(build_embedder("starter", CPU), PatchEmbedder)
