import numpy as np
import pytest
import torch

from novic.gencfg import GenConfig, parse_gencfg
from novic.generate import beam_search, score_nouns
from novic.priors import edge_bonus
from novic.trie import build_trie
from tests.novic import reference
from tests.novic.builders import random_decoder, random_nouns, random_vectors

NOUNS = random_nouns(120, vocabulary=30, longest=5)
DECODER = random_decoder(NOUNS)
VOCABULARY = build_trie(NOUNS.tokens)
TABLE = torch.from_numpy(NOUNS.tokens)
VECTORS = random_vectors(4, width=16)
SOME = np.arange(0, 120, 3)


def prior_of(config: GenConfig):
    return lambda said: (
        config.scaler * reference.log_prior(said, TABLE, NOUNS.vocabulary, config.prior == "tgt")
    )


@pytest.mark.parametrize("text", ["k1_vtok1", "k5_vtgt0.5_a0.5", "k10_vtok0.25_gr", "k10_vtgt-0.5"])
@pytest.mark.parametrize("which", [None, SOME])
def test_beams_with_a_prior_equal_plain_full_recomputation(text: str, which: np.ndarray | None):
    config = parse_gencfg(text)
    trie = VOCABULARY if which is None else build_trie(NOUNS.tokens, which)
    bonus = edge_bonus(config, trie, VOCABULARY)
    found = beam_search(DECODER, trie, VECTORS, config.decoding(), bonus=bonus)
    guide = TABLE if which is None else TABLE[torch.from_numpy(which)]
    said, scores = reference.beam_search(
        DECODER, guide, VECTORS, config.decoding(), prior_of(config)
    )
    best = scores.sort(dim=1, descending=True)
    torch.testing.assert_close(found.scores, best.values, atol=1e-4, rtol=0)
    order = best.indices[..., None].expand_as(said)
    assert torch.equal(TABLE[found.nouns], said.gather(1, order))


def test_a_noun_outside_the_vocabulary_is_forbidden_by_a_prior():
    stranger = np.array([[29, 28, 27, 26, 0]])
    assert not (NOUNS.tokens == stranger).all(axis=1).any()
    trie = build_trie(np.concatenate([NOUNS.tokens[:3], stranger]))
    config = parse_gencfg("all_vtok0.5")
    scores = score_nouns(
        DECODER, trie, VECTORS, config.decoding(), bonus=edge_bonus(config, trie, VOCABULARY)
    )
    assert torch.isfinite(scores[:, :3]).all()
    assert (scores[:, 3] == -torch.inf).all()


def test_no_prior_adds_nothing():
    for text in ("beam", "beam_vtok0", "beam_vtgt0"):
        assert edge_bonus(parse_gencfg(text), VOCABULARY, VOCABULARY) is None


def test_a_full_prior_of_nouns_makes_every_noun_as_likely_beforehand():
    config = parse_gencfg("all_vtgt1")
    bonus = edge_bonus(config, VOCABULARY, VOCABULARY)
    assert bonus is not None
    with_prior = score_nouns(DECODER, VOCABULARY, VECTORS, config.decoding(), bonus=bonus)
    without = score_nouns(DECODER, VOCABULARY, VECTORS, config.decoding())
    expected = torch.full_like(without, np.log(len(NOUNS.nouns)))
    torch.testing.assert_close(with_prior - without, expected, atol=1e-4, rtol=0)
