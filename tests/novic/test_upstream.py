"""Upstream's checkpoints, against its own recorded answers and against every fault."""

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from novic.bundle import Bundle, BundleError, load_bundle, save_bundle
from novic.upstream import (
    CheckpointError,
    compact_tokenizer,
    is_checkpoint,
    load_checkpoint,
    read_checkpoint,
    read_model_file,
)
from tests.novic.builders import random_vectors
from tests.novic.upstream_builders import RELEASED, released, write_t5_tokenizer

PARITY = Path(__file__).parents[1] / "data" / "parity"
SMALL = PARITY / "small.train"
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def small() -> Bundle:
    return load_checkpoint(SMALL)


def answers(name: str) -> dict[str, Any]:
    return json.loads((PARITY / name).read_text(encoding="utf-8"))


@torch.inference_mode()
def forced_difference(bundle: Bundle) -> float:
    """Largest difference from upstream's log probabilities of the tokens of its nouns."""
    forced = answers("forced_small.json")
    vectors = torch.from_numpy(np.load(PARITY / "embeddings_small.npy"))
    worst = 0.0
    for number, row in enumerate(forced["tokens"]):
        said = torch.tensor(row).expand(len(vectors), -1)
        logp = bundle.decoder(vectors, said).log_softmax(2).gather(2, said[..., None])[..., 0]
        theirs = torch.tensor([of_vector[number] for of_vector in forced["logprobs"]])
        worst = max(worst, float((logp - theirs).abs().max()))
    return worst


def test_the_decoder_says_what_upstream_says(small: Bundle):
    assert forced_difference(small) < TOLERANCE
    assert not small.decoder.training


def test_tokens_made_anew_are_those_of_the_training(small: Bundle):
    theirs = answers("tokens_small.json")
    assert small.tokens.vocabulary == theirs["vocab_size"]
    assert small.tokens.max_tokens == theirs["token_length"]
    assert set(small.tokens.nouns) == set(theirs["tokens"])
    for noun, row in zip(small.tokens.nouns, small.tokens.tokens.tolist(), strict=True):
        assert row[: len(theirs["tokens"][noun])] == theirs["tokens"][noun]
        assert not any(row[len(theirs["tokens"][noun]) :])


def test_the_bundle_remembers_where_it_comes_from(small: Bundle):
    assert small.embedder == "openclip:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
    assert small.preprocessing == {"precision": "fp16", "tokenizer_entries": 49_408}
    assert small.provenance["converted_from"]["file"] == "small.train"
    assert len(small.provenance["converted_from"]["sha256"]) == 64
    assert small.provenance["training"]["vocab_thres"] == 9
    assert small.provenance["training"]["multi_target_freq"] == [1, 1]
    assert small.metrics["train_token_top1"] == pytest.approx(0.0323, abs=1e-4)


def test_a_converted_bundle_says_the_same(small: Bundle, tmp_path: Path):
    save_bundle(tmp_path / "bundle", small, half=False)
    back = load_bundle(tmp_path / "bundle")
    assert forced_difference(back) < TOLERANCE
    assert back.tokens.nouns == small.tokens.nouns
    assert back.provenance == small.provenance


def test_nouns_from_elsewhere_are_told_by_the_tokenizer(small: Bundle, tmp_path: Path):
    save_bundle(tmp_path / "bundle", small)
    text = compact_tokenizer(load_bundle(tmp_path / "bundle"))
    for noun, row in zip(small.tokens.nouns, small.tokens.tokens.tolist(), strict=True):
        assert [*(text.encode(noun) or []), 0] == row[: row.index(0) + 1]
    assert text.encode("cat bear") == [*(text.encode("cat") or []), *(text.encode("bear") or [])]
    assert text.encode("ice dog") is None
    assert text.encode("") is None
    assert text.decode([*(text.encode("bull terrier") or []), 0, 5]) == "bull terrier"


def test_a_bundle_that_was_never_a_checkpoint_has_no_tokenizer(small: Bundle):
    own = Bundle(small.decoder, small.tokens, "openclip:own")
    with pytest.raises(BundleError, match="'openclip:own' did not come from a checkpoint"):
        compact_tokenizer(own)


@pytest.mark.parametrize("tag", RELEASED)
def test_the_released_shapes_load(tag: str, tmp_path: Path):
    shape = RELEASED[tag]
    file, nouns, tokenizer = released(tag, tmp_path)
    bundle = load_checkpoint(file, tokenizer=tokenizer if tokenizer.exists() else None)
    parameters = sum(weight.numel() for weight in bundle.decoder.parameters())
    positions = bundle.decoder.config.positions
    assert positions == 3 + shape.max_tokens
    assert parameters == 7_084_544 + 2048 * shape.width + 512 * shape.vocabulary + 512 * positions
    assert bundle.tokens.nouns == tuple(nouns)
    assert bundle.trie().nouns == shape.nouns
    assert bundle.provenance["training"]["noise_vec_norm"] == 3.25
    said = torch.from_numpy(bundle.tokens.tokens[:2])
    logits = bundle.decoder(random_vectors(2, shape.width), said)
    assert logits.shape == (2, shape.max_tokens, shape.vocabulary)
    assert logits.isfinite().all()
    file.unlink()  # pytest keeps folders for a while, and these are large.


def test_a_tokenizer_that_is_not_here_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    file, nouns, tokenizer = released("ta4", tmp_path)
    assert read_checkpoint(file).nouns == tuple(nouns)
    with pytest.raises(CheckpointError, match=r"hf download timm/ViT-B-16-SigLIP tokenizer.json"):
        load_checkpoint(file)
    with pytest.raises(CheckpointError, match=r"there is no tokenizer.json in it"):
        load_checkpoint(file, tokenizer=tmp_path)
    cached = tmp_path / "models--timm--ViT-B-16-SigLIP"
    shutil.copytree(tokenizer, cached / "snapshots" / "12ab")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("12ab")
    assert load_checkpoint(file).tokens.nouns == tuple(nouns)
    (tokenizer / "tokenizer.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"tokenizer.json: not a tokenizer"):
        load_checkpoint(file, tokenizer=tokenizer)
    file.unlink()


def test_another_tokenizer_is_noticed(tmp_path: Path):
    write_t5_tokenizer(tmp_path)
    with pytest.raises(CheckpointError, match="not the one that the decoder was trained with"):
        load_checkpoint(SMALL, tokenizer=tmp_path)


def altered(tmp_path: Path, alter: Callable[[dict[str, Any]], object]) -> Path:
    """The small checkpoint with something changed."""
    contents = torch.load(SMALL, weights_only=True)
    alter(contents)
    torch.save(contents, tmp_path / "altered.train")
    return tmp_path / "altered.train"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", "DudDecoder"),
        ("weight_tying", False),
        ("vocab_quant", True),
        ("mlp_hidden_layer", "amean"),
        ("strictly_causal", True),
        ("enable_nested", True),
        ("layer_activation", "relu"),
        ("layer_norm_first", False),
        ("layer_bias", True),
        ("logits_bias", True),
        ("init_rezero_mode", "perskip"),
        ("num_end_loss", 2),
    ],
)
def test_settings_that_mean_another_decoder_are_refused(key: str, value: object, tmp_path: Path):
    file = altered(tmp_path, lambda contents: contents["cfg_flat"].update({key: value}))
    with pytest.raises(CheckpointError, match=rf"cfg_flat\.{key} is {value!r}; Nomaly reads only"):
        load_checkpoint(file)


def set_part(*keys: str, to: Any) -> Callable[[dict[str, Any]], None]:  # noqa: ANN401
    def alter(contents: dict[str, Any]) -> None:
        for key in keys[:-1]:
            contents = contents[key]
        contents[keys[-1]] = to

    return alter


def drop_part(*keys: str) -> Callable[[dict[str, Any]], None]:
    def alter(contents: dict[str, Any]) -> None:
        for key in keys[:-1]:
            contents = contents[key]
        del contents[keys[-1]]

    return alter


def spoil(name: str, value: float) -> Callable[[dict[str, Any]], None]:
    def alter(contents: dict[str, Any]) -> None:
        contents["model_state_dict"][name].view(-1)[7] = value

    return alter


WEIGHTS = "model_state_dict"
TARGET = "target_config"


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (drop_part("cfg_flat"), "has no cfg_flat; use a checkpoint"),
        (
            set_part(WEIGHTS, "logits_linear.weight", to=torch.zeros(1).expand(10**6, 10**6)),
            r"logits_linear\.weight is not stored whole",
        ),
        (
            set_part(TARGET, "compact_map", to=torch.zeros(1).long().expand(10**12)),
            "compact_map is not stored whole",
        ),
        (
            lambda said: said.update(target_nouns=[*said["target_nouns"][:-1], "bell\a"]),
            "a noun with control characters",
        ),
        (drop_part("target_nouns"), "target_nouns is not a list of nouns"),
        (drop_part("cfg_flat", "num_heads"), r"has no cfg_flat\.num_heads"),
        (drop_part("cfg_flat", "layer_activation"), r"has no cfg_flat\.layer_activation"),
        (drop_part("cfg_flat", "embedder_spec"), r"has no cfg_flat\.embedder_spec"),
        (drop_part(TARGET, "compact_map"), r"has no target_config\.compact_map"),
        (
            drop_part(WEIGHTS, "transformer.norm.weight"),
            r"has no model_state_dict transformer\.nor",
        ),
        (drop_part(WEIGHTS, "logits_linear.weight"), r"has no model_state_dict logits_linear"),
        (set_part("cfg_flat", to=[1]), "cfg_flat is a list, not a Mapping"),
        (set_part("cfg_flat", "num_heads", to=5), "hidden size 64 is not a multiple of its 5 head"),
        (set_part("cfg_flat", "num_heads", to=0), "heads must be at least 1"),
        (set_part("cfg_flat", "num_heads", to=True), r"num_heads is a bool, not a int"),
        (set_part("cfg_flat", "hidden_dim", to=512), "hidden_dim is 512, but the weights have 64"),
        (set_part("cfg_flat", "num_layers", to=6), "num_layers is 6, but the weights have 2"),
        (set_part("cfg_flat", "mlp_seq_len", to=2), "mlp_seq_len is 2, but the weights have 4"),
        (set_part(WEIGHTS, "embed_mlp.mlp.2.weight", to=torch.ones(2)), r"holds embed_mlp\.mlp\.2"),
        (set_part(WEIGHTS, 3, to=torch.ones(2)), "names that are not text"),  # type: ignore[arg-type]
        (
            set_part(WEIGHTS, "transformer.layers.1.linear1.weight", to=torch.ones(2, 64)),
            r"linear1\.weight has shape \(2, 64\), but the other weights ask for \(32, 64\)",
        ),
        (
            set_part(WEIGHTS, "embed_mlp.mlp.0.weight", to=torch.ones(250, 32)),
            "has 250 rows, not a multiple of the hidden size 64",
        ),
        (
            set_part(WEIGHTS, "logits_linear.weight", to=torch.ones(419)),
            r"logits_linear\.weight has shape \(419,\), not two dimensions",
        ),
        (
            set_part(WEIGHTS, "transformer.norm.weight", to=torch.ones(64, dtype=torch.int64)),
            r"transformer\.norm\.weight is stored as torch\.strided torch\.int64",
        ),
        (
            set_part(WEIGHTS, "causality_mask", to=torch.full((8, 8), -torch.inf).triu(1)),
            "causality_mask is not that of an open prefix",
        ),
        (spoil("logits_linear.weight", float("nan")), "logits_linear.weight holds values that are"),
        (spoil("transformer.norm.weight", float("inf")), "not finite numbers"),
        (
            set_part(TARGET, "vocab_size", to=420),
            "vocab_size is 420, but this decoder asks for 419",
        ),
        (set_part(TARGET, "token_length", to=6), "token_length is 6, but this decoder asks for 5"),
        (set_part(TARGET, "start_token_id", to=1), "start_token_id is 1"),
        (set_part(TARGET, "compact_ids", to=False), "compact_ids is False"),
        (
            set_part(TARGET, "compact_map", to=torch.full((49_408,), -1)),
            "compact_map and compact_unmap do not undo each other",
        ),
        (
            set_part("num_invalid_target_nouns", to=339),
            "num_invalid_target_nouns is 339, but there",
        ),
        (set_part("num_invalid_target_nouns", to=0), "an empty noun, or one twice"),
        (set_part("target_nouns", to=("", "cat", "cat")), "an empty noun, or one twice"),
        (set_part("target_nouns", to=("", "cat")), "the nouns use 2 tokens, at most 2 each"),
        (set_part("target_nouns", to=("", "qqzzyx")), "it splits 'qqzzyx' otherwise"),
    ],
)
def test_an_unknown_layout_is_refused_with_the_key(
    alter: Callable[[dict[str, Any]], None], message: str, tmp_path: Path
):
    file = altered(tmp_path, alter)
    with pytest.raises(CheckpointError, match=message) as raised:
        load_checkpoint(file)
    assert str(raised.value).startswith(str(file))
    assert "\n" not in str(raised.value)


def test_settings_that_are_not_needed_may_be_missing(tmp_path: Path):
    def alter(contents: dict[str, Any]) -> None:
        needed = ("num_heads", "layer_activation", "embedder_spec")
        contents["cfg_flat"] = {key: contents["cfg_flat"][key] for key in needed}
        for key in ("train_loop_config", "train_loop_state", "optimizer_state_dict"):
            del contents[key]
        del contents["model_state_dict"]["causality_mask"]

    bundle = load_checkpoint(altered(tmp_path, alter))
    assert forced_difference(bundle) < TOLERANCE
    assert bundle.metrics == {}


def test_half_precision_weights_become_float32(tmp_path: Path):
    def alter(contents: dict[str, Any]) -> None:
        for name, weight in contents["model_state_dict"].items():
            contents["model_state_dict"][name] = weight.bfloat16()

    decoder = load_checkpoint(altered(tmp_path, alter)).decoder
    assert {weight.dtype for weight in decoder.parameters()} == {torch.float32}


def test_nouns_that_the_tokenizer_reads_alike_are_one(tmp_path: Path):
    def alter(contents: dict[str, Any]) -> None:
        contents["target_nouns"] = (*contents["target_nouns"], "bull  terrier")

    bundle = load_checkpoint(altered(tmp_path, alter))
    assert bundle.provenance["same_tokens_as"] == {"bull  terrier": "bull terrier"}
    assert len(bundle.tokens.nouns) == bundle.trie().nouns == 338


def cut(file: Path) -> None:
    file.write_bytes(SMALL.read_bytes()[:900_000])


def flip(file: Path) -> None:
    content = bytearray(SMALL.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def legacy(file: Path) -> None:
    torch.save({"cfg_flat": {}}, file, _use_new_zipfile_serialization=False)


def pack(file: Path) -> None:
    """The small checkpoint, its parts compressed."""
    with (
        zipfile.ZipFile(SMALL) as plain,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (pack, "is compressed; torch.save compresses nothing"),
        (cut, "not a checkpoint, or cut off"),
        (flip, r"its part \S*data/\d+ does not match the CRC-32 checksum"),
        (legacy, "not a checkpoint, or cut off"),
        (lambda file: file.write_bytes(b""), "not a checkpoint, or cut off"),
        (lambda file: file.write_text("text"), "not a checkpoint, or cut off"),
        (lambda file: torch.save([1, 2], file), "holds a list, not the dictionary"),
        (lambda file: file.with_suffix(".zip").touch(), "there is no such checkpoint file"),
        (lambda file: file.mkdir(), "there is no such checkpoint file"),
    ],
)
def test_a_damaged_file_is_refused(write: Callable[[Path], object], message: str, tmp_path: Path):
    file = tmp_path / "damaged.train"
    write(file)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(file)


class Attack:
    """Touches a file when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.witness}",)


def test_code_in_a_checkpoint_never_runs(tmp_path: Path):
    witness, file = tmp_path / "witness", tmp_path / "attack.train"
    contents = torch.load(SMALL, weights_only=True)
    contents["cfg_flat"]["action"] = Attack(witness)
    torch.save(contents, file)
    with pytest.raises(CheckpointError, match=r"\((posix|nt)\.system\), and Nomaly runs no code"):
        load_checkpoint(file)
    file.write_bytes(pickle.dumps(Attack(witness)))
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load_checkpoint(file)
    assert not witness.exists()
    torch.load(altered(tmp_path, set_part("data_config", to=Attack(witness))), weights_only=False)
    assert witness.exists(), "the attack itself does not work, so that the test shows nothing"


def test_model_files_of_both_forms_are_read(small: Bundle, tmp_path: Path):
    save_bundle(tmp_path / "bundle.train", small)
    assert is_checkpoint(SMALL)
    assert is_checkpoint(tmp_path / "missing.train")
    assert not is_checkpoint(tmp_path / "bundle.train")
    assert not is_checkpoint(tmp_path / "missing")
    for path in (SMALL, tmp_path / "bundle.train"):
        assert read_model_file(path).tokens.nouns == small.tokens.nouns
    with pytest.raises(BundleError, match="there is no bundle or checkpoint here"):
        read_model_file(tmp_path / "missing")
