"""Which embedders are listed as ready, by what the caches hold."""

import json
from pathlib import Path

import pytest

from novic.embedders.kinds import list_embedders
from tests.novic.clips import cached, save_model, save_t5_tokenizer, siglip_config

SIGLIP = "timm/ViT-B-16-SigLIP"
SO400M = "timm/ViT-SO400M-14-SigLIP"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("novic.embedders.catalog.OPENAI_CACHE", tmp_path / "clip")
    return tmp_path / "hub"


def states() -> dict[str, str]:
    return {one.spec: one.state for one in list_embedders()}


def test_an_empty_cache(cache: Path):
    assert not cache.exists()
    found = states()
    assert found["starter"] == "ready"
    assert found[f"openclip:{SIGLIP}"].startswith("not here")
    assert len(found) == 4


def test_models_are_ready_when_all_their_parts_are_there(cache: Path):
    save_model(cached(cache, SO400M), siglip_config(16))
    assert states()[f"openclip:{SO400M}"].startswith("without tokenizer")
    snapshot = cached(cache, SIGLIP)
    save_t5_tokenizer(snapshot)
    assert states()[f"openclip:{SO400M}"] == "ready"
    assert states()[f"openclip:{SIGLIP}"].startswith("in part")
    save_model(snapshot, siglip_config(64))
    assert states()[f"openclip:{SIGLIP}"] == "ready"


def test_other_models_in_the_caches_are_found(cache: Path):
    two_towers = cached(cache, "google/siglip-base")
    (two_towers / "config.json").write_text(json.dumps({"model_type": "siglip"}))
    (two_towers / "model.safetensors").touch()
    save_t5_tokenizer(two_towers)
    (cached(cache, "google/bert") / "config.json").write_text('{"model_type": "bert"}')
    (cached(cache, "some/thing") / "config.json").write_text("{broken")
    openai = cache.parent / "clip"
    openai.mkdir()
    (openai / "ViT-B-32.pt").touch()
    found = states()
    assert found["transformers:google/siglip-base"] == "ready"
    assert found["openai:ViT-B-32"] == "ready"
    assert len(found) == 6


def test_a_missing_package_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("novic.embedders.catalog.find_spec", lambda name: None)
    assert states()["starter"].startswith("missing: ")
    assert not cache.exists()
