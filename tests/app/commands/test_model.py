"""`nomaly model` as scripts and newcomers meet it."""

import json
from pathlib import Path

import pytest

from app.commands.model_card import read_model_card
from novic.model import starter_bundle_path
from tests.app.short_watch import run_nomaly

SMALL = Path(__file__).parents[2] / "data" / "parity" / "small.train"
SIZES = {
    "nouns": 338,
    "embedder": "openclip:laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    "width": 32,
    "hidden": 64,
    "feedforward": 32,
    "layers": 2,
    "heads": 4,
    "prefix": 4,
    "vocab": 419,
    "max_tokens": 5,
    "params": 76_800,
}


@pytest.mark.slow
def test_a_checkpoint_becomes_a_bundle(tmp_path: Path):
    out = tmp_path / "bundle"
    done = run_nomaly("model", "convert", SMALL, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {key: told[key] for key in SIZES} == SIZES
    assert set(told["hashes"]) == {"bundle.json", "nouns.json", "decoder.safetensors"}
    again = run_nomaly("model", "convert", SMALL, "--out", out)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    replaced = run_nomaly("model", "convert", SMALL, "--out", out, "--overwrite", "--half")
    assert replaced.returncode == 0, replaced.stderr
    assert "338" in replaced.stdout
    assert read_model_card(out).hashes != told["hashes"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.slow
def test_a_checkpoint_is_shown():
    done = run_nomaly("model", "show", SMALL, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {key: told[key] for key in SIZES} == SIZES
    assert list(told["hashes"]) == ["small.train"]
    assert told["provenance"]["training"]["vocab_thres"] == 9


def test_what_nomaly_ships_has_a_card():
    card = read_model_card(starter_bundle_path())
    assert card.form == "bundle"
    assert card.as_json()["nouns"] == len(card.nouns) > 1000
    assert card.hashes.keys() == {"bundle.json", "nouns.json", "decoder.safetensors"}


@pytest.mark.slow
def test_a_broken_checkpoint_ends_with_one_sentence(tmp_path: Path):
    file = tmp_path / "broken.train"
    file.write_bytes(SMALL.read_bytes()[:1_000_000])
    done = run_nomaly("model", "convert", file, "--out", tmp_path / "bundle")
    assert done.returncode == 4
    assert "broken.train: not a checkpoint, or cut off" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["broken.train"]
