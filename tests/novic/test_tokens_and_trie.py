import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from novic.errors import UsageError
from novic.tokens import END, build_noun_tokens
from novic.trie import build_trie


def spell(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def test_compact_ids_ascend_with_the_tokenizers_ids():
    tokens = build_noun_tokens(["bc", "a"], spell, end_id=0)
    assert tokens.source_ids.tolist() == [0, ord("a"), ord("b"), ord("c")]
    assert tokens.tokens.tolist() == [[2, 3, END], [1, END, END]]
    assert tokens.lengths().tolist() == [3, 2]


@pytest.mark.parametrize(
    ("nouns", "message"),
    [
        ([], "the noun list is empty"),
        (["cat", "cat"], "noun 'cat' stands twice"),
        (["cat", ""], "noun '' has no tokens"),
    ],
)
def test_bad_noun_lists_are_refused(nouns: list[str], message: str):
    with pytest.raises(UsageError, match=message):
        build_noun_tokens(nouns, spell, end_id=0)


def test_two_nouns_with_the_same_tokens_are_refused():
    with pytest.raises(UsageError, match="the same tokens"):
        build_trie(np.array([[1, 0], [1, 0]]))


@given(st.sets(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=30))
def test_walking_the_trie_gives_back_every_noun(nouns: set[str]):
    tokens = build_noun_tokens(sorted(nouns), spell, end_id=0)
    trie = build_trie(tokens.tokens)
    spelled = {}

    def walk(node: int, said: tuple[int, ...]) -> None:
        _, edges = trie.edges_of(torch.tensor([node]))
        for edge in edges.tolist():
            token, noun = int(trie.edge_token[edge]), int(trie.edge_noun[edge])
            if noun >= 0:
                spelled[noun] = said
            else:
                walk(int(trie.edge_node[edge]), (*said, token))

    walk(0, ())
    assert trie.nouns == len(nouns)
    assert spelled == {
        number: tuple(row[row != END].tolist()) for number, row in enumerate(tokens.tokens)
    }
