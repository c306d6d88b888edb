"""The transformers embedder on small CLIP and SigLIP models, saved and loaded back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from skimage import data
from torch import Tensor
from torch.nn import functional

from novic.embedder import Embedder, EmbedderError, TokenIds
from novic.embedders.kinds import build_embedder
from tests.novic.clips import (
    OPENAI_MEAN,
    OPENAI_STD,
    cached,
    save_clip_tokenizer,
    save_t5_tokenizer,
    text_by_hand,
)

CPU = torch.device("cpu")
START, END = 49406, 49407
TEXT = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
VISION = {**TEXT, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}


def save_clip(folder: Path) -> None:
    save_clip_tokenizer(folder)
    text = {**TEXT, "num_attention_heads": 2, "vocab_size": 49408, "eos_token_id": END}
    text |= {"bos_token_id": START, "pad_token_id": END}
    config = transformers.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)
    save(folder, transformers.CLIPModel, config)
    processor: Any = transformers.CLIPImageProcessor
    processor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder
    )


def save_siglip(folder: Path) -> None:
    save_t5_tokenizer(folder)
    text = {**TEXT, "num_attention_heads": 2, "vocab_size": 300, "max_position_embeddings": 16}
    text |= {"pad_token_id": 1, "eos_token_id": 1, "bos_token_id": None}
    config = transformers.SiglipConfig(text_config=text, vision_config=VISION)
    save(folder, transformers.SiglipModel, config)
    processor: Any = transformers.SiglipImageProcessor
    processor(size={"height": 32, "width": 32}).save_pretrained(folder)


def save(folder: Path, kind: Any, config: Any) -> None:  # noqa: ANN401
    torch.manual_seed(0)
    model = kind(config)
    draw = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        weight.data = torch.randn(weight.shape, generator=draw) * 0.1
    model.save_pretrained(folder)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    save_clip(folder)
    return folder


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("siglip")
    save_siglip(folder)
    return folder


def load(folder: Path) -> Embedder:
    return build_embedder(f"transformers:{folder}", CPU)


def as_openclip_names_them(model: Any) -> dict[str, Tensor]:  # noqa: ANN401
    """The weights of a CLIP text tower under open_clip's names."""
    given = model.state_dict()
    text = "text_model."
    found = {
        "token_embedding.weight": given[f"{text}embeddings.token_embedding.weight"],
        "positional_embedding": given[f"{text}embeddings.position_embedding.weight"],
        "text_projection": given["text_projection.weight"].T,
    }
    for end in ("weight", "bias"):
        found[f"ln_final.{end}"] = given[f"{text}final_layer_norm.{end}"]
        for layer in range(TEXT["num_hidden_layers"]):
            old, new = f"{text}encoder.layers.{layer}.", f"transformer.resblocks.{layer}."
            parts = [given[f"{old}self_attn.{part}_proj.{end}"] for part in "qkv"]
            found[f"{new}attn.in_proj_{end}"] = torch.cat(parts)
            found[f"{new}attn.out_proj.{end}"] = given[f"{old}self_attn.out_proj.{end}"]
            found[f"{new}ln_1.{end}"] = given[f"{old}layer_norm1.{end}"]
            found[f"{new}ln_2.{end}"] = given[f"{old}layer_norm2.{end}"]
            found[f"{new}mlp.c_fc.{end}"] = given[f"{old}mlp.fc1.{end}"]
            found[f"{new}mlp.c_proj.{end}"] = given[f"{old}mlp.fc2.{end}"]
    return found


def test_a_clip_text_is_what_it_is_by_hand(clip: Path):
    weights = as_openclip_names_them(transformers.CLIPModel.from_pretrained(clip))
    row = [START, 320, 2368, END] + [END] * 73
    expected = text_by_hand(weights, row, 2, siglip=False, quick=True)
    found, long = load(clip).embed_texts(["a  CAT", "cat " * 100])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    cut = text_by_hand(weights, [START, *[2368] * 75, END], 2, siglip=False, quick=True)
    np.testing.assert_allclose(long, cut, atol=1e-5)


def test_a_siglip_text_is_padded_and_its_padding_is_not_hidden(siglip: Path):
    embedder = load(siglip)
    ids = embedder.encode_noun("a cat")
    model: Any = transformers.SiglipModel.from_pretrained(siglip).eval()
    row = torch.tensor([[*ids, 1, *[1] * (16 - len(ids) - 1)]])
    with torch.inference_mode():
        expected = functional.normalize(model.get_text_features(row).pooler_output)[0]
        mask = (torch.arange(16) <= len(ids))[None].long()
        hidden = model.get_text_features(row, attention_mask=mask).pooler_output[0]
    found = embedder.embed_texts(["a cat"])[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - functional.normalize(hidden, dim=0).numpy()).max() > 1e-3


@pytest.mark.parametrize(
    ("model", "box", "mean", "std"),
    [
        ("clip", (100, 0, 500, 400), OPENAI_MEAN, OPENAI_STD),
        ("siglip", (0, 0, 600, 400), (0.5,) * 3, (0.5,) * 3),
    ],
)
def test_images_are_cropped_or_squashed_as_the_files_say(
    model: str,
    box: tuple[int, int, int, int],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    request: pytest.FixtureRequest,
):
    folder = request.getfixturevalue(model)
    image = data.coffee()  # 400 x 600
    small = Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC, box=box)
    pixels = (np.asarray(small) / 255 - np.array(mean)) / np.array(std)
    kind: Any = transformers.AutoModel
    loaded = kind.from_pretrained(folder).eval()
    with torch.inference_mode():
        batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
        expected = functional.normalize(loaded.get_image_features(batch).pooler_output)[0]
    found = load(folder).embed_images([image])[0]
    assert float(found @ expected.numpy()) > 0.9995


@pytest.mark.parametrize("model", ["clip", "siglip"])
def test_vectors_have_unit_length_and_come_in_order(model: str, request: pytest.FixtureRequest):
    embedder = load(request.getfixturevalue(model))
    images = [data.chelsea(), data.coffee()[:5, :200], data.astronaut()[:30, :30]] * 12
    vectors = embedder.embed_images(images)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = np.concatenate([embedder.embed_images([image]) for image in images[:3]])
    np.testing.assert_allclose(vectors, np.tile(alone, (12, 1)), atol=1e-4)
    texts = embedder.embed_texts([f"a dog {number}" for number in range(70)])
    np.testing.assert_allclose(texts[69], embedder.embed_texts(["a dog 69"])[0], atol=1e-5)
    assert vectors.dtype == texts.dtype == np.float32
    assert embedder.embed_images([]).shape == embedder.embed_texts([]).shape == (0, embedder.width)


def test_special_ids_and_nouns(clip: Path, siglip: Path):
    assert load(clip).token_ids == TokenIds(49408, START, END, END)
    assert load(clip).encode_noun("cat") == [2368]
    assert load(clip).clean_text("A  Cat") == "a cat"
    assert load(siglip).token_ids == TokenIds(300, None, 1, 1)


def test_identity_tells_models_apart_and_not_where_they_lie(
    clip: Path, siglip: Path, tmp_path: Path
):
    save_clip(tmp_path / clip.name)
    one, same, other = (load(path).identity() for path in (clip, tmp_path / clip.name, siglip))
    assert one["model_id"] == same["model_id"] != other["model_id"]
    assert one["class"] == "TransformersEmbedder"
    json.dumps(one)


def test_a_model_in_the_hubs_cache_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("novic.embedders.hub._fetch", None)
    save_siglip(cached(tmp_path, "google/siglip"))
    embedder = build_embedder("transformers:google/siglip", CPU)
    assert embedder.embed_texts(["a cat"]).shape == (1, 64)
    assert embedder.identity()["model_id"] == "google/siglip"


def no_tokenizer(folder: Path) -> str:
    (folder / "tokenizer.json").unlink()
    return "holds no tokenizer"


def other_tokenizer(folder: Path) -> str:
    save_t5_tokenizer(folder, 600)
    return "wrong tokenizer: it knows 600 tokens, the text model 300"


def no_processor(folder: Path) -> str:
    (folder / "preprocessor_config.json").unlink()
    return r"its image transform \(preprocessor_config.json\) cannot be read"


def cut_weights(folder: Path) -> str:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:500])
    return "the model cannot be read from"


def one_tower(folder: Path) -> str:
    config = transformers.BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16
    )
    transformers.BertModel(config).save_pretrained(folder)
    return "BertModel does not embed both images and texts; give a model like CLIP"


def with_a_program(folder: Path) -> str:
    file = folder / "config.json"
    config = json.loads(file.read_text()) | {"model_type": "own"}
    config["auto_map"] = {"AutoConfig": "program.Config", "AutoModel": "program.Own"}
    file.write_text(json.dumps(config))
    (folder / "program.py").write_text("raise SystemExit('the program was run')")
    return "cannot be read from"


@pytest.mark.parametrize(
    "damage", [with_a_program, no_tokenizer, other_tokenizer, no_processor, cut_weights, one_tower]
)
def test_damaged_folders_are_told_in_a_sentence(damage: Callable[[Path], str], tmp_path: Path):
    save_siglip(tmp_path)
    message = damage(tmp_path)
    with pytest.raises(EmbedderError, match=message) as told:
        load(tmp_path)
    assert "\n" not in str(told.value)


def test_missing_folders_are_told():
    with pytest.raises(EmbedderError, match="there is no folder /nowhere"):
        build_embedder("transformers:/nowhere", CPU)
