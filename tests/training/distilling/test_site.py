from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from novic.embedder import Vectors
from novic.embedders.starter import load_class_vectors
from novic.tokens import NounTokens
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.wordnet import WordNet
from tests.training.hashed import HashedEmbedder
from training.distilling.distil import DistilConfig
from training.distilling.site import (
    LEAST_STEPS,
    site_material,
    site_nouns,
    site_teacher,
    text_answers,
    train_site,
    usual_steps,
)
from training.distilling.starter import STEPS, Dictionary
from training.texts.nouns import Noun, given_noun
from training.texts.templates import TEMPLATES

NOUNS = ("crow", "fuselage", "smartphone", "teapot")


def dictionary(*frequencies: int) -> ObjectDictionary:
    entries = [
        NounEntry(number, noun, noun, (noun,), (), (frequency,), ())
        for number, (noun, frequency) in enumerate(zip(NOUNS, frequencies, strict=True))
    ]
    return ObjectDictionary(tuple(entries))


def embed(texts: Sequence[str]) -> Vectors:
    """Vectors without a model, as wide as the class vectors."""
    return HashedEmbedder(width=384).embed_texts(texts)


@pytest.fixture(scope="module")
def material(wordnet: WordNet) -> Dictionary:
    rows = np.array([[1, 0], [2, 0], [3, 0], [4, 0]])
    tokens = NounTokens(NOUNS, rows, np.arange(5))
    return site_material(wordnet, dictionary(1, 1, 1, 1), tokens, embed)


def test_nouns_mean_what_they_mean_for_the_starter_or_what_wordnet_says(
    wordnet: WordNet, nouns: dict[str, Noun]
):
    crow, fuselage, smartphone, teapot = site_nouns(wordnet, dictionary(1, 2, 3, 4))
    assert crow == nouns["crow"]
    assert teapot == nouns["teapot"]
    assert [wordnet.synsets[offset].lexname for offset, _ in fuselage.senses] == ["artifact"]
    # WordNet 3.0 ends in 2006.
    assert smartphone.senses == ()
    assert smartphone.zipf > 0


def test_a_given_noun_is_found_by_any_spelling_but_never_as_an_abstraction(wordnet: WordNet):
    by_spelling = given_noun(wordnet, "tshirt", ("T-shirt",))
    assert [wordnet.synsets[offset].lexname for offset, _ in by_spelling.senses] == ["artifact"]
    assert given_noun(wordnet, "happiness", ("happiness",)).senses == ()


def test_a_frequency_counts_fully_in_the_posterior(wordnet: WordNet, material: Dictionary):
    classes = load_class_vectors()
    chance = torch.Generator().manual_seed(0)
    answer = torch.softmax(torch.randn(5, 1000, generator=chance), dim=1)
    even = site_teacher(wordnet, material, [3, 3, 3, 3], classes)
    uneven = site_teacher(wordnet, material, [3, 12, 3, 3], classes)
    before, after = even.posterior(answer), uneven.posterior(answer)
    odds = (after[:, 1] / after[:, 0]) / (before[:, 1] / before[:, 0])
    torch.testing.assert_close(odds, torch.full((5,), 4.0), rtol=1e-3, atol=0)
    drawn = uneven.draw_nouns(4000, torch.Generator().manual_seed(0))
    assert (drawn == 1).float().mean() == pytest.approx(12 / 21, abs=0.03)


def test_a_noun_without_meaning_has_the_answers_that_its_text_is_near_to(
    wordnet: WordNet, material: Dictionary
):
    classes = load_class_vectors()
    teacher = site_teacher(wordnet, material, [1, 1, 1, 1], classes)
    expected = text_answers(material.noun_vectors, classes)
    torch.testing.assert_close(teacher.answers[2], expected[2])
    assert not torch.allclose(teacher.answers[0], expected[0], atol=1e-3)
    assert int(teacher.answers[0].argmax()) != int(teacher.answers[1].argmax())
    torch.testing.assert_close(teacher.answers.sum(dim=1), torch.ones(4))
    own = text_answers(classes[7:8], classes)
    assert int(own.argmax()) == 7


def test_kinds_come_from_wordnet(material: Dictionary):
    assert "bird" in material.hypernyms["crow"]
    assert material.hypernyms["smartphone"] == ()
    assert material.texts.shape == (4, len(TEMPLATES), 384)


def test_a_site_decoder_is_trained_and_measured(
    wordnet: WordNet, material: Dictionary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("training.distilling.starter.MEASURED_TEXTS", 20)
    monkeypatch.setattr("training.distilling.starter.MEASURED_ANSWERS", 20)
    teacher = site_teacher(wordnet, material, [9, 1, 1, 1], load_class_vectors())
    stages = []
    bundle = train_site(
        material,
        teacher,
        DistilConfig(steps=8, batch_size=32, bfloat16=False),
        tmp_path,
        lambda stage, *_: stages.append(stage),
    )
    assert stages[:8] == ["train"] * 8
    assert bundle.embedder == "starter"
    assert bundle.metrics["template_top1"] >= 0.9
    assert bundle.metrics["nouns"] == 4


def test_longer_dictionaries_train_longer():
    assert usual_steps(20) == LEAST_STEPS
    assert usual_steps(2400) == 1200
    assert usual_steps(40_000) == STEPS
