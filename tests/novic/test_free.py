import pytest
import torch

from novic.free import free_search
from novic.generate import Decoding
from tests.novic import reference
from tests.novic.builders import random_decoder, random_nouns, random_vectors

NOUNS = random_nouns(60, vocabulary=25, longest=4)
DECODER = random_decoder(NOUNS)
VECTORS = random_vectors(5, width=16)


@pytest.mark.parametrize("beams", [1, 5, 10])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_free_generation_equals_plain_full_recomputation(
    beams: int, temperature: float, alpha: float
):
    decoding = Decoding(beams, temperature=temperature, length_alpha=alpha)
    found = free_search(DECODER, VECTORS, decoding)
    said, scores = reference.beam_search(DECODER, None, VECTORS, decoding)
    torch.testing.assert_close(
        found.scores, scores.sort(1, descending=True).values, atol=1e-4, rtol=0
    )
    order = scores.argsort(dim=1, descending=True)
    assert torch.equal(found.tokens, said.gather(1, order[..., None].expand_as(said)))


def test_every_sequence_ends_and_none_is_empty():
    found = free_search(DECODER, VECTORS, Decoding(10))
    assert (found.tokens[..., 0] != 0).all()
    assert (found.tokens[..., -1] == 0).all()


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    whole = free_search(DECODER, VECTORS, Decoding(5))
    monkeypatch.setattr("novic.free.MOST_ROWS", 10)
    parts = free_search(DECODER, VECTORS, Decoding(5))
    assert torch.equal(parts.tokens, whole.tokens)
    torch.testing.assert_close(parts.scores, whole.scores)


def test_no_vectors_give_no_texts():
    assert free_search(DECODER, VECTORS[:0], Decoding(5)).tokens.shape == (0, 5, 4)
