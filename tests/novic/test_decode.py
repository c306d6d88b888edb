from collections.abc import Sequence

import numpy as np
import pytest
import torch

from novic.bundle import Bundle
from novic.decode import Kind, NounDecoder
from novic.errors import UsageError
from novic.gencfg import GenConfigError, parse_gencfg
from novic.guides import read_guide
from tests.novic.builders import random_decoder, random_nouns, random_vectors

NOUNS = random_nouns(80, vocabulary=25, longest=4)
BUNDLE = Bundle(random_decoder(NOUNS), NOUNS, "test:none")
VECTORS = random_vectors(5, width=16).numpy()
GUIDE = read_guide(NOUNS.nouns[:7], NOUNS)


def spell(tokens: Sequence[int]) -> str:
    return " ".join(f"t{token}" for token in tokens if token)


@pytest.mark.parametrize(
    "text", ["greedy", "beam_k5", "beam_k10_gr", "all_k10_vtok0.5", "k3_vtgt1"]
)
def test_answers_are_nouns_of_the_vocabulary_best_first(text: str):
    for row in NounDecoder(BUNDLE).decode(VECTORS, parse_gencfg(text)):
        assert all(answer.noun in NOUNS.nouns for answer in row)
        assert all(answer.kind == Kind.GUIDE for answer in row)
        scores = [answer.score for answer in row]
        assert scores == sorted(scores, reverse=True)


def test_a_guide_holds_guided_search_and_only_marks_free_search():
    decoder = NounDecoder(BUNDLE, guide=GUIDE, text=spell)
    guided = decoder.decode(VECTORS, parse_gencfg("all_k10"))
    assert all({answer.noun for answer in row} == set(GUIDE.nouns) for row in guided)
    free = decoder.decode(VECTORS, parse_gencfg("beam_k10_gn"))
    for row in free:
        for answer in row:
            known = Kind.VOCABULARY if answer.noun in NOUNS.nouns else Kind.OTHER
            assert answer.kind == (Kind.GUIDE if answer.noun in GUIDE.nouns else known)
    kinds = {answer.kind for row in free for answer in row}
    assert Kind.OTHER in kinds


def test_renormalised_scores_of_a_guide_sum_to_one():
    rows = NounDecoder(BUNDLE, guide=GUIDE).decode(VECTORS, parse_gencfg("all_k10_gr"))
    for row in rows:
        assert np.exp([answer.score for answer in row]).sum() == pytest.approx(1, abs=1e-4)


def test_free_generation_without_a_tokenizer_is_refused_with_the_way_out():
    with pytest.raises(GenConfigError, match="use a guided strategy"):
        NounDecoder(BUNDLE).decode(VECTORS, parse_gencfg("beam_k10_gn"))


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.full((2, 16), np.nan, dtype=np.float32), r"vector 0 .* \(2 of 2 do\)"),
        (np.vstack([VECTORS[:2], np.zeros((1, 16), np.float32)]), "vector 2 is zero"),
        (VECTORS[:, :8], r"reads vectors \[N, 16\] of 'test:none'"),
        (VECTORS[0], r"these are \[16\]"),
    ],
)
def test_vectors_that_mean_nothing_are_refused(vectors: np.ndarray, message: str):
    with pytest.raises(UsageError, match=message):
        NounDecoder(BUNDLE).decode(vectors, parse_gencfg("beam"))


def test_no_vectors_give_no_answers():
    decoder = NounDecoder(BUNDLE, text=spell)
    for text in ("beam", "beam_gn", "all"):
        assert decoder.decode(VECTORS[:0], parse_gencfg(text)) == []
    assert decoder.decode_as_upstream(VECTORS[:0], parse_gencfg("beam")) == []


def test_half_precision_says_the_same_nouns():
    half = Bundle(random_decoder(NOUNS).to(torch.bfloat16), NOUNS, "test:none")
    full = NounDecoder(BUNDLE).decode(VECTORS, parse_gencfg("all_k80"))
    found = NounDecoder(half).decode(VECTORS, parse_gencfg("all_k80"))
    for one, other in zip(full, found, strict=True):
        scores = {answer.noun: answer.score for answer in other}
        assert max(abs(scores[answer.noun] - answer.score) for answer in one) < 0.2
