"""Which tags and tokens are kept, and the authors' files of them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from novic.errors import UsageError
from novic.tagood.errors import TagoodError
from novic.tagood.patches import Patches, attention_rows, centre_weights
from novic.tagood.token_files import find_token_files, read_tokens, token_path, write_tokens
from novic.tagood.tokens import (
    EMPTY,
    ONE_RULE,
    TaggedTokens,
    TagRule,
    chosen_tags,
    object_mask,
    padded,
    tagged_tokens,
)

TOKENS = np.arange(12, dtype=np.float32).reshape(6, 2)
ROWS = np.array([[0, 1, 2, 3, 4, 10], [9, 0, 0, 0, 0, 0], [5, 5, 5, 5, 5, 5]], np.float32)


def test_tags_above_the_threshold_that_mean_something_known_are_chosen():
    chances = np.array([0.9, 0.7, 0.2, 0.6])
    assert chosen_tags(chances, [0, 2, 3]) == ((0, 3), False)
    assert chosen_tags(np.array([0.5, 0.1]), [0, 1]) == ((0,), True)


def test_a_picture_without_a_tag_gets_its_likeliest_or_none_by_one_rule_for_all():
    chances = np.array([0.9, 0.2, 0.4])
    assert chosen_tags(chances, [1, 2], ONE_RULE) == ((2,), True)
    assert chosen_tags(chances, [1, 2], EMPTY) == ((), False)


def test_the_mask_is_the_largest_of_the_tags_scaled_rows():
    expected = [1, 0.1, 0.2, 0.3, 0.4, 1]
    np.testing.assert_allclose(object_mask(ROWS[:2]), expected, atol=1e-6)
    np.testing.assert_array_equal(object_mask(ROWS[2:]), np.ones(6))


def test_what_the_mask_marks_is_kept_in_its_order():
    found = tagged_tokens(TOKENS, ROWS, np.array([0.8, 0.7, 0.1]), range(3))
    assert found.tags == (0, 1)
    assert found.tag_p == pytest.approx(0.8)
    np.testing.assert_array_equal(found.tokens, TOKENS[[0, 5]])
    alone = tagged_tokens(TOKENS, ROWS, np.array([0.4, 0.1, 0.1]), range(3))
    assert (alone.tags, alone.fallback) == ((0,), True)
    np.testing.assert_array_equal(alone.tokens, TOKENS[[5]])
    empty = tagged_tokens(TOKENS, ROWS, np.array([0.4, 0.1, 0.1]), range(3), EMPTY)
    assert (empty.tags, empty.tag_p, empty.tokens.shape) == ((), 0, (0, 2))


def test_tokens_of_several_pictures_are_filled_up():
    tokens, padding = padded([TOKENS[:1], TOKENS[:3]], 2)
    assert padding.tolist() == [[False, True, True], [False, False, False]]
    np.testing.assert_array_equal(tokens[0, 0], TOKENS[0])
    assert not tokens[0, 1:].any()
    assert padded([], 2)[0].shape == (0, 0, 2)
    tokens, padding = padded([np.zeros((0, 0), np.float32), TOKENS[:1]], 2)
    assert padding.tolist() == [[True], [False]]
    np.testing.assert_array_equal(tokens[:, 0], [[0, 0], TOKENS[0]])


def test_cells_are_marked_by_their_noun_the_middle_or_not_at_all():
    joint = np.eye(4, dtype=np.float32)[None]
    patches = Patches(np.zeros((1, 4, 3), np.float32), joint)
    texts = np.array([[0, 1, 0, 0], [0.6, 0, 0, 0.8]], np.float32)
    np.testing.assert_allclose(attention_rows(patches, "text", texts, (2, 2))[0], texts)
    assert not attention_rows(patches, "all", None, (2, 2)).any()
    middle = attention_rows(patches, "centre", None, (2, 2))
    np.testing.assert_allclose(middle[0, 0], np.exp(-(0.25 + 0.25) / 0.5))
    grid = centre_weights((3, 5)).reshape(3, 5)
    assert grid.argmax() == 7
    assert grid[1, 2] == 1
    with pytest.raises(TagoodError, match="no common space with texts"):
        attention_rows(Patches(patches.tokens, None), "text", texts, (2, 2))


@pytest.mark.parametrize("rule", [ONE_RULE, EMPTY], ids=["one", "empty"])
def test_a_file_of_tokens_comes_back(rule: TagRule, tmp_path: Path):
    for number, chances in enumerate(([0.8, 0.7, 0.1], [0.4, 0.1, 0.1])):
        kept = tagged_tokens(TOKENS, ROWS, np.array(chances), range(3), rule)
        path = token_path(tmp_path, "n01440764", f"pictures/{number}.JPEG")
        assert path == tmp_path / "n01440764" / f"{number}.pt"
        write_tokens(path, kept)
        back = read_tokens(path)
        assert (back.tags, back.fallback) == (kept.tags, kept.fallback)
        assert back.probabilities == pytest.approx(kept.probabilities)
        np.testing.assert_array_equal(back.attention, kept.attention)
        np.testing.assert_array_equal(back.tokens, kept.tokens)
    assert [(name, file.name) for name, file in find_token_files(tmp_path)] == [
        ("n01440764", "0.pt"),
        ("n01440764", "1.pt"),
    ]


def test_it_is_a_list_as_the_authors_have_it(tmp_path: Path):
    rows = torch.rand(3, 512)
    content = [[7, 12], torch.tensor([0.7, 0.9]), torch.rand(145), rows]
    torch.save(content, tmp_path / "a.pt")
    found = read_tokens(tmp_path / "a.pt")
    assert (found.tags, found.fallback, found.tokens.shape) == ((7, 12), False, (3, 512))
    assert found.tag_p == pytest.approx(0.9)
    torch.save([7, [0.2], torch.rand(145), rows], tmp_path / "b.pt")
    assert read_tokens(tmp_path / "b.pt").fallback
    torch.save([[], [], torch.rand(145), torch.empty(0)], tmp_path / "c.pt")
    assert read_tokens(tmp_path / "c.pt").tokens.shape == (0, 0)
    written = tmp_path / "d.pt"
    write_tokens(written, TaggedTokens((3,), (0.25,), np.ones(6, np.float32), TOKENS, True))
    tags, chances, attention, tokens = torch.load(written, weights_only=True)
    assert (tags, chances, tuple(attention.shape), tuple(tokens.shape)) == (3, [0.25], (6,), (6, 2))


class Program:
    """What may run something when it is read."""


WRONG = {
    "no list": ({"tags": []}, "must hold a list of tags"),
    "three parts": ([[1], [0.5], torch.rand(4)], "must hold a list of tags"),
    "probability": ([[1], [1.5], torch.rand(4), torch.rand(2, 3)], "do not fit each other"),
    "count": ([[1, 2], [0.5], torch.rand(4), torch.rand(2, 3)], "has 2 tags, 1 probabilities"),
    "too many tokens": ([[1], [0.5], torch.rand(1), torch.rand(2, 3)], "2 tokens of 1 places"),
    "flat tokens": ([[1], [0.5], torch.rand(4), torch.rand(3)], "no tokens that can be read"),
    "text": ([["dog"], [0.5], torch.rand(4), torch.rand(2, 3)], "no tokens that can be read"),
    "endless tag": ([[torch.inf], [0.5], torch.rand(4), torch.rand(2, 3)], "no tokens that can be"),
    "not finite": ([[1], [0.5], torch.rand(4), torch.full((2, 3), torch.nan)], "not finite"),
    "a program": (Program(), "is damaged or no file of weights alone"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_other_files_are_refused_in_a_sentence(fault: str, tmp_path: Path):
    content, said = WRONG[fault]
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(TagoodError, match=said):
        read_tokens(tmp_path / "a.pt")


def test_missing_files_are_told(tmp_path: Path):
    with pytest.raises(UsageError, match="holds no extracted tokens; they lie in CLASS"):
        find_token_files(tmp_path / "none")
    with pytest.raises(TagoodError, match="cannot be read"):
        read_tokens(tmp_path / "none.pt")
    (tmp_path / "file").write_text("")
    kept = tagged_tokens(TOKENS, ROWS, np.array([0.8, 0.7, 0.1]), range(3))
    with pytest.raises(TagoodError, match="cannot be written"):
        write_tokens(tmp_path / "file" / "a" / "b.pt", kept)
