"""The open_clip embedder on small models of the released architectures, saved and loaded back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data
from tokenizers import Tokenizer
from torch.nn import functional

from novic.embedder import Embedder, EmbedderError, Pixels
from novic.embedders.kinds import build_embedder
from novic.embedders.openclip import imagenet_names, imagenet_prompts, openai_models
from novic.embedders.towers import LONGEST, as_picture, autocast_dtype
from novic.errors import UsageError
from novic.tokens import build_noun_tokens
from tests.novic.clips import (
    OPENAI_MEAN,
    OPENAI_STD,
    cached,
    clip_config,
    random_weights,
    save_bert_tokenizer,
    save_clip_tokenizer,
    save_model,
    save_t5_tokenizer,
    siglip_config,
    text_by_hand,
)

CPU = torch.device("cpu")
START, END = 49406, 49407
"""CLIP's ids."""


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("siglip")
    save_model(folder, siglip_config(64))
    save_t5_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def so400m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("so400m")
    save_model(folder, siglip_config(16))
    save_t5_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def dfn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dfn")
    save_model(folder, clip_config(378, "squash", quick=True))
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    save_model(folder, clip_config(42, "shortest", quick=False))
    return folder


def load(folder: Path) -> Embedder:
    return build_embedder(f"openclip:{folder}", CPU)


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "open_clip_model.safetensors")


def image_by_hand(folder: Path, pixels: np.ndarray, mean: Any, std: Any) -> np.ndarray:  # noqa: ANN401
    """The model's vector of pixels that have its size already."""
    model: Any = open_clip.create_model(f"local-dir:{folder}").eval()
    scaled = (pixels / 255 - np.array(mean)) / np.array(std)
    batch = torch.from_numpy(scaled).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        return functional.normalize(model.encode_image(batch), dim=1)[0].numpy()


def squashed(image: Pixels, size: int) -> np.ndarray:
    picture = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=np.float64)


def test_siglip_text_is_cleaned_padded_with_its_end_and_read_at_the_last_place(siglip: Path):
    tokens = Tokenizer.from_file(str(siglip / "tokenizer.json"))
    ids = [id_of(tokens, word) for word in ("a", "photo", "of", "the", "dog")]
    row = [*ids, 1, *[1] * (64 - 6)]
    embedder = load(siglip)
    vector = embedder.embed_texts(["  A photo; of_THE\tdog?! "])[0]
    expected = text_by_hand(weights_of(siglip), row, 2, siglip=True)
    np.testing.assert_allclose(vector, expected, atol=1e-5)
    # So the padding is part of the text: with another pad id it would be another vector.
    wrong = text_by_hand(weights_of(siglip), [*ids, 1, *[0] * (64 - 6)], 2, siglip=True)
    assert np.abs(vector - wrong.numpy()).max() > 1e-3
    assert embedder.clean_text("  A photo; of_THE\tdog?! ") == "a photo of the dog"
    assert embedder.clean_text("Don't re-use: U.S. mail") == "dont reuse us mail"


def id_of(tokens: Tokenizer, word: str) -> int:
    found = tokens.token_to_id(f"▁{word}")
    assert found is not None
    return found


def test_so400m_reads_sixteen_tokens(so400m: Path):
    tokens = Tokenizer.from_file(str(so400m / "tokenizer.json"))
    words = ["a", "photo", "of", "the", "cat", *["and", "the", "dog"] * 4, "bird"]
    ids = [id_of(tokens, word) for word in words]
    embedder = load(so400m)
    long, same, other = embedder.embed_texts(
        [" ".join(words), " ".join([*words[:15], "cat"]), " ".join(["dog", *words[1:]])]
    )
    expected = text_by_hand(weights_of(so400m), [*ids[:15], 1], 2, siglip=True)
    np.testing.assert_allclose(long, expected, atol=1e-5)
    np.testing.assert_allclose(same, long, atol=1e-6)
    assert np.abs(other - long).max() > 1e-3


def test_the_t5_tokenizer_gives_what_its_file_says(siglip: Path):
    embedder, tokens = load(siglip), Tokenizer.from_file(str(siglip / "tokenizer.json"))
    for noun in (
        "cat",
        "traffic light",
        "catfish",
        "light bulb 3",
        "zebra crossing",
        "singing bird",
    ):
        assert embedder.encode_noun(noun) == tokens.encode(noun, add_special_tokens=False).ids
    assert embedder.encode_noun("Traffic-Light") == embedder.encode_noun("trafficlight")
    assert vars_of(embedder) == (300, None, 1, 1)


def vars_of(embedder: Embedder) -> tuple[int, int | None, int, int]:
    ids = embedder.token_ids
    assert embedder.end_id == ids.end
    return ids.vocabulary, ids.start, ids.end, ids.pad


def test_siglip_squashes_images_to_its_size(siglip: Path):
    image = data.coffee()[:, :250]
    half = (0.5, 0.5, 0.5)
    expected = image_by_hand(siglip, squashed(image, 160), half, half)
    middle = image_by_hand(siglip, squashed(image[75:325], 160), half, half)
    found = load(siglip).embed_images([image])[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - middle).max() > 1e-2


def test_dfn_squashes_to_378_with_the_means_of_openai(dfn: Path):
    image = data.coffee()[:200]
    expected = image_by_hand(dfn, squashed(image, 378), OPENAI_MEAN, OPENAI_STD)
    np.testing.assert_allclose(load(dfn).embed_images([image])[0], expected, atol=1e-4)


def test_a_model_may_want_the_middle_square(plain: Path):
    image = data.coffee()  # 400 x 600
    shorter = Image.fromarray(image).resize((63, 42), Image.Resampling.BICUBIC)
    middle = np.asarray(shorter, dtype=np.float64)[:, 10:52]
    expected = image_by_hand(plain, middle, OPENAI_MEAN, OPENAI_STD)
    found = load(plain).embed_images([image])[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_dfn_computes_with_quick_gelu(dfn: Path):
    ids = [START, 320, 2368, END]  # "a cat"
    row = ids + [0] * (77 - len(ids))
    found = load(dfn).embed_texts(["a Cat"])[0]
    quick = text_by_hand(weights_of(dfn), row, 2, siglip=False, quick=True)
    exact = text_by_hand(weights_of(dfn), row, 2, siglip=False, quick=False)
    np.testing.assert_allclose(found, quick, atol=1e-5)
    assert np.abs(found - exact.numpy()).max() > 1e-4


def test_other_models_compute_with_the_exact_one(plain: Path):
    row = [START, 320, 2368, END] + [0] * 73
    expected = text_by_hand(weights_of(plain), row, 2, siglip=False, quick=False)
    np.testing.assert_allclose(load(plain).embed_texts(["a cat"])[0], expected, atol=1e-5)


def test_clip_keeps_the_end_of_a_text_that_is_cut(plain: Path):
    row = [START, *[2368] * 75, END]
    expected = text_by_hand(weights_of(plain), row, 2, siglip=False)
    np.testing.assert_allclose(load(plain).embed_texts(["cat " * 200])[0], expected, atol=1e-5)


def test_both_spellings_of_clips_tokenizer_agree(plain: Path, tmp_path: Path):
    config = clip_config(42, "shortest", quick=False)
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "somebody/clip"
    save_model(tmp_path, config)
    save_clip_tokenizer(tmp_path)
    simple, hub = load(plain), load(tmp_path)
    nouns = ["cat", "traffic light", "3d printer", "t shirt", "jack o lantern", "crème brûlée"]
    assert [simple.encode_noun(noun) for noun in nouns] == [hub.encode_noun(n) for n in nouns]
    assert simple.encode_noun("cat") == [2368]
    assert vars_of(simple) == vars_of(hub) == (49408, START, END, END)
    texts = ["a photo of a cat.", "Two  T-shirts, and a dog!", "cat " * 90]
    np.testing.assert_allclose(hub.embed_texts(texts), simple.embed_texts(texts), atol=1e-5)


def test_clipa_reads_texts_without_their_separator(tmp_path: Path):
    config = clip_config(42, "squash", quick=False)
    clipa = open_clip.get_model_config("ViT-L-14-CLIPA")
    assert clipa is not None
    small = {"width": 64, "heads": 2, "layers": 2, "vocab_size": 19}
    config["model_cfg"]["text_cfg"] = clipa["text_cfg"] | small
    save_model(tmp_path, config)
    save_bert_tokenizer(tmp_path)
    embedder = load(tmp_path)
    cat, dogs = embedder.encode_noun("cat"), embedder.encode_noun("Dogs")
    assert (len(cat), len(dogs)) == (1, 2)
    model: Any = open_clip.create_model(f"local-dir:{tmp_path}").eval()
    row = [2, *cat, *dogs, *[0] * 28]  # start, three pieces, the separator's place, padding
    assert len(row) == 32
    with torch.inference_mode():
        expected = functional.normalize(model.encode_text(torch.tensor([row])), dim=1)[0]
    np.testing.assert_allclose(embedder.embed_texts(["cat dogs"])[0], expected, atol=1e-5)
    assert vars_of(embedder) == (19, 2, 3, 0)


def test_noun_tokens_are_built_from_the_embedder(siglip: Path):
    embedder = load(siglip)
    tokens = build_noun_tokens(["cat", "traffic light"], embedder.encode_noun, embedder.end_id)
    assert tokens.source_ids[0] == 1
    assert tokens.max_tokens == 3
    assert tokens.source_ids[tokens.tokens[0, 0]] == embedder.encode_noun("cat")[0]


@pytest.mark.parametrize("model", ["siglip", "dfn", "plain"])
def test_vectors_have_unit_length_and_come_in_order(model: str, request: pytest.FixtureRequest):
    embedder = load(request.getfixturevalue(model))
    images = [data.chelsea(), data.coffee()[:5, :200], data.astronaut()[:30, :30]] * 12
    vectors = embedder.embed_images(images[:36])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = np.concatenate([embedder.embed_images([image]) for image in images[:3]])
    np.testing.assert_allclose(vectors, np.tile(alone, (12, 1)), atol=1e-4)
    assert np.abs(alone[0] - alone[1]).max() > 1e-2
    texts = embedder.embed_texts([f"a dog {number}" for number in range(70)])
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(texts[69], embedder.embed_texts(["a dog 69"])[0], atol=1e-5)
    assert vectors.dtype == texts.dtype == np.float32
    assert embedder.embed_images([]).shape == embedder.embed_texts([]).shape == (0, embedder.width)


def test_a_sliver_is_not_blown_up(plain: Path):
    sliver = np.tile(data.coffee()[:1, :500], (1, 8, 1))  # 1 x 4000
    assert as_picture(sliver, middle_square=True).size == (LONGEST, 1)
    assert as_picture(sliver, middle_square=False).size == (4000, 1)
    middle = sliver[:, 1990:2010]
    embedder = load(plain)
    found, expected = embedder.embed_images([sliver, middle])
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((4, 4), np.uint8), id="grey"),
        pytest.param(np.zeros((4, 4, 3), np.float32), id="float"),
        pytest.param(np.zeros((0, 4, 3), np.uint8), id="no pixels"),
    ],
)
def test_other_images_are_refused(plain: Path, image: Any):  # noqa: ANN401
    with pytest.raises(ValueError, match="an image must be RGB uint8"):
        load(plain).embed_images([image])


def test_identity_tells_models_apart_and_not_where_they_lie(plain: Path, dfn: Path, tmp_path: Path):
    copy = tmp_path / "elsewhere" / plain.name
    save_model(copy, clip_config(42, "shortest", quick=False))
    one, same, other = (load(folder).identity() for folder in (plain, copy, dfn))
    assert one == same
    assert one["model_id"] != other["model_id"]
    assert one["model_config"]["model_cfg"]["quick_gelu"] is False
    assert (one["class"], one["device_type"], one["amp_dtype"]) == (
        "OpenCLIPEmbedder",
        "cpu",
        "None",
    )
    json.dumps(one)


def test_a_model_in_the_hubs_cache_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("novic.embedders.hub._fetch", None)
    weights = save_model(cached(tmp_path, "timm/ViT-SO400M-14-SigLIP"), siglip_config(16))
    # The configuration of this model names another repository for its tokenizer.
    tokenizer = save_t5_tokenizer(cached(tmp_path, "timm/ViT-B-16-SigLIP"))
    embedder = build_embedder("openclip:timm/ViT-SO400M-14-SigLIP", CPU)
    row = [*tokenizer.encode("a cat").ids, *[1] * 13]
    expected = text_by_hand(weights, row, 2, siglip=True)
    np.testing.assert_allclose(embedder.embed_texts(["a cat"])[0], expected, atol=1e-5)
    assert embedder.identity()["model_id"] == "timm/ViT-SO400M-14-SigLIP"
    assert embedder.spec == "openclip:timm/ViT-SO400M-14-SigLIP"


@pytest.fixture
def small_architectures(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's ViT-B-32 and SigLIP's ViT-B-16 in open_clip's own list, but small."""
    configs: Any = open_clip.factory._MODEL_CONFIGS
    quick = clip_config(42, "shortest", quick=True)["model_cfg"]
    monkeypatch.setitem(configs, "ViT-B-32-quickgelu", quick)
    monkeypatch.setitem(configs, "ViT-B-16-SigLIP", siglip_config(64)["model_cfg"])


@pytest.mark.usefixtures("small_architectures")
@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B/32"])
def test_openai_models_compute_with_quick_gelu(tmp_path: Path, name: str):
    weights = random_weights(clip_config(42, "shortest", quick=True)["model_cfg"])
    save_file(weights, tmp_path / "clip.safetensors")
    embedder = build_embedder(f"openai:{name}@{tmp_path}/clip.safetensors", CPU)
    row = [START, 320, 2368, END] + [0] * 73
    expected = text_by_hand(weights, row, 2, siglip=False, quick=True)
    np.testing.assert_allclose(embedder.embed_texts(["a cat"])[0], expected, atol=1e-5)


class Nested(torch.nn.Module):
    """Weights under given names, as OpenAI's own files hold them."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        below: dict[str, dict[str, torch.Tensor]] = {}
        for name, weight in weights.items():
            first, dot, rest = name.partition(".")
            if dot:
                below.setdefault(first, {})[rest] = weight
            else:
                self.register_buffer(first, weight)
        for name, inner in below.items():
            self.add_module(name, Nested(inner))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is:FutureWarning")
@pytest.mark.usefixtures("small_architectures")
def test_openais_own_files_are_read_only_if_they_are_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    weights = random_weights(clip_config(42, "shortest", quick=True)["model_cfg"])
    sizes = {"input_resolution": 42, "context_length": 77, "vocab_size": 49408}
    extra = {name: torch.tensor(size) for name, size in sizes.items()}
    file = tmp_path / "ViT-B-32.pt"
    torch.jit.script(Nested({**weights, **extra})).save(str(file))
    with pytest.raises(EmbedderError, match=r"is not OpenAI's file \(SHA-256 differs\)"):
        build_embedder(f"openai:ViT-B-32@{file}", CPU)
    monkeypatch.setattr("novic.embedders.openclip.file_sha256", lambda _: OPENAI_SHA256)
    embedder = build_embedder(f"openai:ViT-B-32@{file}", CPU)
    row = [START, 320, 2368, END] + [0] * 73
    # Such a file says no number of heads: its models have one per 64 components. It is kept in
    # half precision.
    expected = text_by_hand(weights, row, 1, siglip=False, quick=True)
    np.testing.assert_allclose(embedder.embed_texts(["a cat"])[0], expected, atol=5e-3)
    assert embedder.embed_images([data.coffee()]).shape == (1, 24)


OPENAI_SHA256 = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"
"""Of ViT-B-32.pt, from its address in open_clip."""


def test_openai_has_nine_models():
    assert len(openai_models()) == 9
    with pytest.raises(EmbedderError, match=r"no such model; OpenAI has RN50, .*ViT-L-14-336"):
        build_embedder("openai:ViT-Z-99", CPU)


@pytest.mark.usefixtures("small_architectures")
def test_an_architecture_with_a_weights_file_keeps_the_transform_of_its_weights(tmp_path: Path):
    config = siglip_config(64)
    config["model_cfg"]["text_cfg"].pop("hf_tokenizer_name")
    weights = random_weights(config["model_cfg"])
    save_file(weights, tmp_path / "siglip.safetensors")
    cache = tmp_path / "hub"
    save_t5_tokenizer(cached(cache, "timm/ViT-B-16-SigLIP"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
        embedder = build_embedder(f"openclip:ViT-B-16-SigLIP@{tmp_path}/siglip.safetensors", CPU)
    folder = tmp_path / "folder"
    save_model(folder, siglip_config(64))
    save_t5_tokenizer(folder)
    image = data.coffee()[:, :250]
    expected = load(folder).embed_images([image])
    np.testing.assert_allclose(embedder.embed_images([image]), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("clap:x", "unknown embedder 'clap:x'; use starter, openclip:MODEL"),
        ("openclip:", "unknown embedder 'openclip:'"),
        ("starter:x", "unknown embedder 'starter:x'"),
        ("openclip:/nowhere/at/all", "there is no folder /nowhere/at/all"),
        ("openclip:ViT-B-32@/nowhere.pt", "there is no weights file /nowhere.pt"),
        ("openclip:ViT-B-23@/nowhere.pt", "no architecture 'ViT-B-23'; did you mean ViT-B-32"),
        ("openclip:ViT-B-32", "an architecture without weights; give ViT-B-32@FILE"),
        ("openclip:SigLIP", "'SigLIP' is neither a folder nor a hub id like owner/name"),
    ],
)
def test_wrong_names_are_told(spec: str, message: str):
    with pytest.raises(EmbedderError, match=message):
        build_embedder(spec, CPU)


def test_weights_that_want_different_transforms_are_not_guessed(tmp_path: Path):
    file = tmp_path / "weights.safetensors"
    file.touch()
    names = [n for n in open_clip.list_models() if len(transforms(n)) > 1]
    assert names, "no such architecture in this open_clip"
    with pytest.raises(EmbedderError, match="want different image transforms; give a folder"):
        build_embedder(f"openclip:{names[0]}@{file}", CPU)


def transforms(architecture: str) -> set[tuple[Any, ...]]:
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    known = [open_clip.get_pretrained_cfg(architecture, tag) for tag in tags]
    return {(c["mean"], c["std"], c["interpolation"], c["resize_mode"]) for c in known}


def no_weights(folder: Path) -> str:
    (folder / "open_clip_model.safetensors").unlink()
    return "holds no weights .*download the whole model"


def no_config(folder: Path) -> str:
    (folder / "open_clip_config.json").unlink()
    return "holds no open_clip_config.json"


def broken_config(folder: Path) -> str:
    (folder / "open_clip_config.json").write_text("{not json")
    return r"open_clip_config.json cannot be read as JSON"


def half_config(folder: Path) -> str:
    (folder / "open_clip_config.json").write_text('{"model_cfg": {"text_cfg": {}}}')
    return "is no open_clip configuration: it lacks model_cfg"


def cut_weights(folder: Path) -> str:
    file = folder / "open_clip_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    return "cannot be loaded: .*safetensors is damaged or not the weights of this model"


def other_weights(folder: Path) -> str:
    weights = random_weights(clip_config(42, "shortest", quick=False)["model_cfg"])
    save_file(weights, folder / "open_clip_model.safetensors")
    return "is damaged or not the weights of this model"


def no_numbers(folder: Path) -> str:
    weights = {name: weight * torch.nan for name, weight in weights_of(folder).items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return "gives vectors that are zero or not finite for 1 of 1 texts: its weights are damaged"


def no_tokenizer(folder: Path) -> str:
    (folder / "tokenizer.json").unlink()
    return "lacks its tokenizer: put tokenizer.json and tokenizer_config.json into"


def broken_tokenizer(folder: Path) -> str:
    (folder / "tokenizer.json").write_text("{}")
    return "the tokenizer in .* cannot be read"


def tokenizer_with_a_program(folder: Path) -> str:
    file = folder / "tokenizer_config.json"
    config = json.loads(file.read_text()) | {"tokenizer_class": "Own"}
    config["auto_map"] = {"AutoTokenizer": ["program.Own", "program.Own"]}
    file.write_text(json.dumps(config))
    (folder / "program.py").write_text("raise SystemExit('the program was run')")
    return "the tokenizer in .* cannot be read"


def tokenizer_of_another_kind(folder: Path) -> str:
    file = folder / "tokenizer.json"
    said = json.loads(file.read_text())
    # transformers builds a T5 tokenizer that always begins words so; the file says otherwise.
    said["pre_tokenizer"]["prepend_scheme"] = "never"
    file.write_text(json.dumps(said))
    return "the installed transformers does not cut 'cat' as .*tokenizer.json says"


def other_tokenizer(folder: Path) -> str:
    (folder / "tokenizer.json").unlink()
    save_clip_tokenizer(folder)
    return "has the wrong tokenizer: it knows 49408 tokens, the text model 300"


@pytest.mark.parametrize(
    "damage",
    [
        no_weights,
        no_config,
        broken_config,
        half_config,
        cut_weights,
        other_weights,
        no_numbers,
        no_tokenizer,
        broken_tokenizer,
        other_tokenizer,
        tokenizer_with_a_program,
        tokenizer_of_another_kind,
    ],
)
def test_damaged_folders_are_told_in_a_sentence(
    damage: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    folder = tmp_path / "model"
    save_model(folder, siglip_config(64))
    save_t5_tokenizer(folder)
    message = damage(folder)
    with pytest.raises(EmbedderError, match=message) as told:
        load(folder)
    assert "\n" not in str(told.value)


def test_a_hub_id_without_a_hub_says_what_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    expected = (
        r"'openclip:nobody/nothing' is not in the hub's cache .* on a machine that reaches the "
        r"hub, download open_clip_config.json, open_clip_model.safetensors .*openclip:FOLDER"
    )
    with pytest.raises(EmbedderError, match=expected):
        build_embedder("openclip:nobody/nothing", CPU)
    monkeypatch.setattr("novic.embedders.openclip.OPENAI_CACHE", tmp_path)
    with pytest.raises(EmbedderError, match=r"use openai:ViT-B-32@FILE"):
        build_embedder("openai:ViT-B-32", CPU)


def test_a_folder_may_be_called_as_it_likes(tmp_path: Path):
    folder = tmp_path / "models@home" / "ViT-B-32"
    save_model(folder, clip_config(42, "shortest", quick=False))
    assert load(folder).width == 24


def test_a_folder_of_the_other_kind_is_recognised(plain: Path):
    with pytest.raises(EmbedderError, match=f"did you mean openclip:{plain}"):
        build_embedder(f"transformers:{plain}", CPU)


CUDA = torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("precision", "device", "dtype"),
    [
        ("auto", CPU, None),
        ("fp32", CPU, None),
        ("auto", CUDA, torch.float16),
        ("fp16", CUDA, torch.float16),
        ("bf16", CUDA, torch.bfloat16),
        ("fp32", CUDA, None),
    ],
)
def test_half_precision_is_for_cuda(precision: str, device: torch.device, dtype: Any):  # noqa: ANN401
    assert autocast_dtype(precision, device) is dtype


@pytest.mark.parametrize(
    ("precision", "message"),
    [("fp16", "needs a CUDA device"), ("int4", "unknown precision 'int4'; use auto, fp16")],
)
def test_other_precisions_are_refused(plain: Path, precision: str, message: str):
    with pytest.raises(UsageError, match=message):
        build_embedder(f"openclip:{plain}", CPU, precision)


def test_the_starter_takes_no_precision():
    with pytest.raises(UsageError, match="precision 'fp16' asked for, but the starter has its own"):
        build_embedder("starter", CPU, "fp16")


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_stays_close(siglip: Path, precision: str):
    if not torch.cuda.device_count():
        pytest.skip("no CUDA device")
    whole, half = load(siglip), build_embedder(f"openclip:{siglip}", CUDA, precision)
    images, texts = [data.chelsea()], ["a cat"]
    assert (half.embed_images(images) * whole.embed_images(images)).sum() > 0.99
    assert (half.embed_texts(texts) * whole.embed_texts(texts)).sum() > 0.99


def test_imagenet_is_in_the_order_of_its_wordnet_ids():
    names = imagenet_names()
    assert len(names) == 1000
    assert names[:2] == ["tench", "goldfish"]
    prompts = imagenet_prompts()
    assert len(prompts) == len(set(prompts)) == 80
    assert "a photo of a {c}." in prompts
