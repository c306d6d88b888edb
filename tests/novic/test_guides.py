import numpy as np
import pytest

from novic.guides import GuideError, read_guide
from novic.tokens import build_noun_tokens

LETTERS = {letter: number for number, letter in enumerate(" abcdefghijklmnopqrstuvwxyz", start=1)}


def encode(text: str) -> list[int]:
    return [LETTERS[letter] for letter in text]


TOKENS = build_noun_tokens(["airplane", "t shirt", "cat", "ice"], encode, 0)
COMPACT = {source: number for number, source in enumerate(TOKENS.source_ids.tolist())}


def compact(text: str) -> list[int] | None:
    pieces = [COMPACT.get(piece) for piece in encode(text)]
    return None if None in pieces else [piece for piece in pieces if piece is not None]


def spellings(text: str) -> list[str]:
    known = {"aeroplanes": ["airplane"], "Pussycat": ["pussycat", "cat"], "both": ["cat", "ice"]}
    return known.get(text, [])


def test_nouns_are_found_however_they_are_spelt():
    guide = read_guide(["  T-Shirt ", "CAT.", "t shirt", ""], TOKENS)
    assert guide.nouns == ("t shirt", "cat")
    assert np.array_equal(guide.tokens, TOKENS.tokens[[1, 2]])
    assert not guide.unknown
    assert not guide.untrained


def test_plurals_and_variants_come_from_the_dictionary():
    guide = read_guide(["aeroplanes", "Pussycat", "both"], TOKENS, spellings=spellings)
    assert guide.nouns == ("airplane", "cat", "ice")


def test_regular_plurals_need_no_dictionary():
    assert read_guide(["Cats", "t-shirts", "ices"], TOKENS).nouns == ("cat", "t shirt", "ice")


def test_a_noun_whose_pieces_are_known_can_be_said_untrained():
    guide = read_guide(["cat", "rat"], TOKENS, encode=compact)
    assert guide.nouns == ("cat", "rat")
    assert guide.untrained == ("rat",)
    assert guide.tokens.shape == (2, TOKENS.max_tokens)
    assert guide.tokens[1].tolist()[:4] == [*(compact("rat") or []), 0]


def test_what_cannot_be_said_is_reported_with_its_reason():
    guide = read_guide(["cat", "zebra", "plane in the air"], TOKENS, encode=compact)
    assert [text for text, _ in guide.unknown] == ["zebra", "plane in the air"]
    assert "word pieces that the decoder lacks" in guide.unknown[0][1]


def test_a_noun_that_is_too_long_is_reported():
    guide = read_guide(["cat", "cat cat cat"], TOKENS, encode=compact)
    assert guide.unknown[0][1] == "has 11 word pieces, the decoder says at most 8"


@pytest.mark.parametrize(
    ("typed", "message"), [([], "it is empty"), (["zebra"], "'zebra' is not in the vocabulary")]
)
def test_a_guide_without_any_noun_is_refused(typed: list[str], message: str):
    with pytest.raises(GuideError, match=message):
        read_guide(typed, TOKENS)
