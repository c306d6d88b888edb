import math

import pytest
import torch
from torch.nn import functional

from novic.embedders.starter import load_class_vectors
from scenarios.wordnet import WordNet
from training.distilling import teacher as weights_of
from training.distilling.teacher import Teacher, build_teacher, count_compounds, plain_names
from training.texts.nouns import Noun


def test_the_posterior_is_the_written_formula():
    chance = torch.Generator().manual_seed(3)
    answers = torch.softmax(torch.randn(3, 4, generator=chance), dim=1)
    classes = functional.normalize(torch.randn(4, 5, generator=chance), dim=1)
    nouns = functional.normalize(torch.randn(3, 5, generator=chance), dim=1)
    traits = torch.rand(3, 4, generator=chance)
    plain = torch.tensor([[2, 0], [3, 0], [1, 2]])
    answer = torch.softmax(torch.randn(1, 4, generator=chance), dim=1)
    found = Teacher(answers, traits, torch.zeros(3), plain, classes, nouns).posterior(answer)
    scores = []
    for noun in range(3):
        called = sum(float(answer[0, c]) for c, n in plain.tolist() if n == noun)
        vector = functional.normalize(answer @ classes, dim=1)[0]
        special, frequency, compounds, letters = traits[noun].tolist()
        scores.append(
            weights_of.MATCH * math.log(float(answer[0] @ answers[noun]))
            + weights_of.PLAIN * called
            + weights_of.COSINE * float(vector @ nouns[noun])
            + weights_of.SPECIAL * special
            + weights_of.FREQUENCY * frequency
            + weights_of.COMPOUNDS * compounds
            + weights_of.LETTERS * letters
        )
    torch.testing.assert_close(found[0], torch.softmax(torch.tensor(scores), dim=0))


def test_basic_words_make_compounds(wordnet: WordNet):
    compounds = count_compounds(wordnet)
    assert compounds["tree"] > compounds["oak"] > compounds["chinkapin"]
    assert compounds["apple tree"] == 0


@pytest.mark.parametrize(
    ("label", "noun"),
    [
        pytest.param(412, "trash can", id="WordNet says ashcan"),
        pytest.param(21, "kite", id="the list adds which one"),
        pytest.param(608, "jean", id="singular"),
    ],
)
def test_classes_are_called_by_their_plain_names(label: int, noun: str):
    names = ["ashcan", "jean", "kite", "trash can"]
    assert [label, names.index(noun)] in plain_names(names).tolist()


def test_a_dictionary_without_class_names_has_no_plain_ones():
    assert plain_names(["qwerty"]).shape == (0, 2)


def test_a_sure_answer_is_called_by_its_plain_name(wordnet: WordNet, nouns: dict[str, Noun]):
    few = [nouns[name] for name in ("ash bin", "ashcan", "bin", "trash can", "wrench")]
    alike = functional.normalize(torch.ones(len(few), 384), dim=1).numpy()
    teacher = build_teacher(wordnet, few, alike, load_class_vectors())
    ashcan = torch.zeros(1, 1000)
    ashcan[0, 412] = 1.0
    order = teacher.posterior(ashcan)[0].argsort(descending=True)
    ranked = [few[number].text for number in order]
    assert ranked.index("trash can") < ranked.index("ashcan")
    assert ranked[-1] == "wrench"
