import copy

import pytest
import torch

from novic.decoder import KvCache, PrefixedDecoder
from novic.generate import Decoding, beam_search, closed_set_posterior, score_nouns
from novic.packed import AT_ONCE, PackedLinear, for_inference
from novic.trie import build_trie
from tests.novic import reference
from tests.novic.builders import random_decoder, random_nouns, random_vectors

NOUNS = random_nouns(200, vocabulary=40, longest=5)
DECODER = random_decoder(NOUNS)
TRIE = build_trie(NOUNS.tokens)
VECTORS = random_vectors(7, width=16)
TABLE = torch.from_numpy(NOUNS.tokens)

GRID = [
    pytest.param(Decoding(beams, renormalise, temperature, alpha), id=f"{beams}-{label}")
    for beams in (1, 5, 10)
    for renormalise in (False, True)
    for temperature in (0.5, 1.0, 2.0)
    for alpha in (0.0, 0.5)
    for label in [f"{'gr' if renormalise else 'gp'}-t{temperature}-a{alpha}"]
]


@pytest.mark.parametrize("decoding", GRID)
def test_beams_equal_plain_full_recomputation(decoding: Decoding):
    found = beam_search(DECODER, TRIE, VECTORS, decoding)
    said, scores = reference.beam_search(DECODER, TABLE, VECTORS, decoding)
    torch.testing.assert_close(found.scores, scores.sort(1, True).values, atol=1e-4, rtol=0)
    order = scores.argsort(dim=1, descending=True)
    said = said.gather(1, order[..., None].expand_as(said))
    assert torch.equal(TABLE[found.nouns], said)


@pytest.mark.parametrize("renormalise", [False, True])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_exhaustive_scores_equal_teacher_forcing(
    renormalise: bool, temperature: float, alpha: float
):
    decoding = Decoding(1, renormalise, temperature, alpha)
    scores = score_nouns(DECODER, TRIE, VECTORS, decoding)
    expected = reference.score_nouns(DECODER, TABLE, VECTORS, decoding)
    torch.testing.assert_close(scores, expected, atol=1e-4, rtol=0)


def test_enough_beams_find_the_exhaustive_best():
    scores = score_nouns(DECODER, TRIE, VECTORS, Decoding())
    found = beam_search(DECODER, TRIE, VECTORS, Decoding(beams=200))
    best = scores.sort(dim=1, descending=True)
    torch.testing.assert_close(found.scores, best.values, atol=1e-4, rtol=0)


def test_renormalised_scores_are_a_distribution_over_the_list():
    scores = score_nouns(DECODER, TRIE, VECTORS, Decoding(renormalise=True))
    torch.testing.assert_close(scores.exp().sum(dim=1), torch.ones(7), atol=1e-4, rtol=0)


def test_the_closed_set_posterior_divides_plain_scores_by_their_sum():
    scores = score_nouns(DECODER, TRIE, VECTORS, Decoding())
    posterior = closed_set_posterior(scores)
    expected = scores.exp() / scores.exp().sum(dim=1, keepdim=True)
    torch.testing.assert_close(posterior, expected, atol=1e-5, rtol=1e-4)
    assert (scores.exp().sum(dim=1) < 1).all()


def test_more_beams_than_nouns_leave_the_rest_empty():
    some = build_trie(NOUNS.tokens, torch.arange(3).numpy())
    for renormalise in (False, True):
        found = beam_search(DECODER, some, VECTORS, Decoding(10, renormalise))
        assert (found.nouns[:, :3].sort(dim=1).values == torch.arange(3)).all()
        assert (found.nouns[:, 3:] == -1).all()
        assert (found.scores[:, 3:] == -torch.inf).all()
        assert torch.isfinite(found.scores[:, :3]).all()


def test_a_chunked_exhaustive_run_gives_the_same_scores(monkeypatch: pytest.MonkeyPatch):
    whole = score_nouns(DECODER, TRIE, VECTORS, Decoding())
    monkeypatch.setattr("novic.generate.MOST_ROWS", 7)
    torch.testing.assert_close(score_nouns(DECODER, TRIE, VECTORS, Decoding()), whole)


def test_no_vectors_give_no_nouns():
    found = beam_search(DECODER, TRIE, VECTORS[:0], Decoding(5))
    assert found.nouns.shape == (0, 5)


@pytest.mark.parametrize(
    ("values", "message"),
    [({"beams": 0}, "beams must be at least 1"), ({"temperature": 0.0}, "must be above 0")],
)
def test_meaningless_settings_are_refused(values: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Decoding(**values)


def test_the_packed_decoder_gives_the_same_scores():
    packed = for_inference(DECODER)
    assert packed is not DECODER, "this torch lacks the oneDNN operators"
    for decoding in (Decoding(10), Decoding(5, renormalise=True, temperature=0.5)):
        found = beam_search(packed, TRIE, VECTORS, decoding)
        expected = beam_search(DECODER, TRIE, VECTORS, decoding)
        assert torch.equal(found.nouns, expected.nouns)
        torch.testing.assert_close(found.scores, expected.scores, atol=1e-4, rtol=0)


def test_few_numbers_of_rows_are_asked_for_and_change_no_product(monkeypatch: pytest.MonkeyPatch):
    weight, asked = torch.linspace(-1, 1, 60).reshape(5, 12), set[int]()
    linear = PackedLinear(weight)

    class Operators:
        def _linear_pointwise(self, rows: torch.Tensor, *more: object) -> torch.Tensor:
            asked.add(len(rows))
            return torch.ops.mkldnn._linear_pointwise(rows, *more)

    monkeypatch.setattr(linear, "_operators", Operators())
    for count in [0, *range(1, 40), 300, 1200]:
        rows = torch.randn(count, 12)
        torch.testing.assert_close(linear(rows), rows @ weight.T)
        torch.testing.assert_close(linear(rows[:, None]), (rows @ weight.T)[:, None])
    assert asked <= set(AT_ONCE)


def test_a_decoder_that_cannot_be_packed_stays_as_it_is():
    double = copy.deepcopy(DECODER).double()
    assert for_inference(double) is double


@pytest.mark.parametrize("wanted", [1, 3])
@pytest.mark.parametrize("decoding", [Decoding(10), Decoding(10, True), Decoding(5, False, 1, 0.5)])
def test_the_wanted_best_are_the_best_of_all(wanted: int, decoding: Decoding):
    every = beam_search(DECODER, TRIE, VECTORS, decoding)
    few = beam_search(DECODER, TRIE, VECTORS, decoding, wanted=wanted)
    assert torch.equal(few.nouns, every.nouns[:, :wanted])
    torch.testing.assert_close(few.scores, every.scores[:, :wanted])


def test_a_settled_vector_costs_no_more_steps(monkeypatch: pytest.MonkeyPatch):
    rows = []
    advance = type(DECODER).advance

    def counted(self: PrefixedDecoder, tokens: torch.Tensor, cache: KvCache):
        rows.append(len(tokens))
        return advance(self, tokens, cache)

    monkeypatch.setattr(type(DECODER), "advance", counted)
    beam_search(DECODER, TRIE, VECTORS, Decoding(10))
    every = sum(rows)
    rows.clear()
    beam_search(DECODER, TRIE, VECTORS, Decoding(10), wanted=1)
    assert sum(rows) < every


def test_a_chunked_search_gives_the_same_nouns(monkeypatch: pytest.MonkeyPatch):
    whole = beam_search(DECODER, TRIE, VECTORS, Decoding(5))
    monkeypatch.setattr("novic.generate.MOST_ROWS", 10)
    parts = beam_search(DECODER, TRIE, VECTORS, Decoding(5))
    assert torch.equal(parts.nouns, whole.nouns)
    torch.testing.assert_close(parts.scores, whole.scores)


def test_logits_of_the_allowed_alone_give_the_same_scores(monkeypatch: pytest.MonkeyPatch):
    decoding = Decoding(10, renormalise=True)
    monkeypatch.setattr("novic.generate.SPARSE_SHARE", 0.0)
    dense = beam_search(DECODER, TRIE, VECTORS, decoding)
    monkeypatch.setattr("novic.generate.SPARSE_SHARE", 1.0)
    sparse = beam_search(DECODER, TRIE, VECTORS, decoding)
    assert torch.equal(dense.nouns, sparse.nouns)
    torch.testing.assert_close(dense.scores, sparse.scores, atol=1e-5, rtol=0)
