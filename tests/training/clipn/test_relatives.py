"""Which texts are left out of what one denies of another."""

import torch

from scenarios.wordnet import read_wordnet
from training.clipn.relatives import Relatives, kindred

NOUNS = ("dog", "animal", "canis familiaris", "teapot", "hound", "zzyzx")


def test_names_and_kinds_of_one_thing_are_kindred():
    found = {(NOUNS[one], NOUNS[two]) for one, two in kindred(NOUNS, read_wordnet())}
    assert {("dog", "animal"), ("hound", "dog"), ("hound", "animal")} <= found
    assert {("dog", "canis familiaris"), ("canis familiaris", "dog")} <= found
    assert not any("teapot" in pair or "zzyzx" in pair for pair in found)


def test_a_batch_is_told_its_related_pairs():
    texts = torch.eye(5)
    texts[3] = torch.nn.functional.normalize(torch.tensor([0.0, 0, 1, 0.3, 0]), dim=0)
    relatives = Relatives(texts, [(0, 4)])
    found = relatives.among(torch.tensor([4, 1, 0, 2, 3, 1]))
    expected = torch.eye(6, dtype=torch.bool)
    for one, two in ((0, 2), (3, 4), (1, 5)):
        expected[one, two] = expected[two, one] = True
    assert torch.equal(found, expected)


def test_without_named_pairs_only_what_is_close_is_related():
    assert torch.equal(
        Relatives(torch.eye(3)).among(torch.arange(3)), torch.eye(3, dtype=torch.bool)
    )
