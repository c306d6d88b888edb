"""Tokens of a tagger with RAM's shapes: a small network of torch, not RAM itself."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from novic.tagood.errors import TagoodError
from novic.tagood.tagger import DEVIATION, MEAN, Tagging, tag_pictures, tagger_input
from novic.tagood.tokens import EMPTY

NAMES = tuple(f"tag {number}" for number in range(40))
HEADS, WIDTH, HIDDEN = 4, 512, 64


class SmallTagger(nn.Module):
    """Cells of the picture, a mean token before them, tags as queries of cross-attention."""

    tags: Sequence[str] = NAMES

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.cells = nn.Conv2d(3, WIDTH, 32, stride=32)
        self.queries = nn.Parameter(torch.randn(len(NAMES), HIDDEN))
        self.attention = nn.MultiheadAttention(
            HIDDEN, HEADS, kdim=WIDTH, vdim=WIDTH, batch_first=True
        )
        self.chance = nn.Linear(HIDDEN, 1)

    def tag(self, pictures: Tensor) -> Tagging:
        cells = self.cells(pictures).flatten(2).transpose(1, 2)
        tokens = torch.cat([cells.mean(dim=1, keepdim=True), cells], dim=1)
        queries = self.queries.expand(len(pictures), -1, -1)
        mixed, rows = self.attention(queries, tokens, tokens, average_attn_weights=False)
        return Tagging(self.chance(8 * mixed).sigmoid()[..., 0], rows, tokens)


@pytest.fixture(scope="module")
def tagger() -> SmallTagger:
    return SmallTagger().eval()


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (5, 6, 8, 3), dtype=np.uint8)
    return [np.kron(one, np.ones((20, 20, 1), np.uint8)) for one in small]


def test_it_keeps_the_tokens_where_the_tags_are(tagger: SmallTagger, images: list[np.ndarray]):
    known = [NAMES[3], NAMES[7], NAMES[7], NAMES[20]]
    found = tag_pictures(tagger, images, known)
    with torch.inference_mode():
        said = tagger.tag(torch.stack([tagger_input(one) for one in images]))
    assert said.attention.shape == (5, HEADS, len(NAMES), 145)
    for row, one in enumerate(found):
        chances = said.probabilities[row].numpy()
        above = [number for number in (3, 7, 20) if chances[number] > 0.5]
        tags = above or [max((3, 7, 20), key=lambda number: chances[number])]
        assert list(one.tags) == tags
        assert one.fallback is not bool(above)
        assert one.tag_p == pytest.approx(chances[tags].max(), abs=1e-5)
        rows = said.attention[row, :, tags].numpy().sum(axis=0)
        low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
        mask = ((rows - low) / (high - low)).max(axis=0)
        np.testing.assert_allclose(one.attention, mask, atol=1e-4)
        kept = one.attention > 0.5
        assert 1 <= kept.sum() < 145
        np.testing.assert_allclose(one.tokens, said.tokens[row].numpy()[kept], atol=1e-4)


def test_without_a_fallback_no_picture_gets_its_likeliest_tag(
    tagger: SmallTagger, images: list[np.ndarray]
):
    ours = tag_pictures(tagger, images, NAMES[:2])
    strict = tag_pictures(tagger, images, NAMES[:2], EMPTY)
    assert [not one.tags for one in strict] == [one.fallback for one in ours]
    assert all(one.tags for one in ours)


def test_a_picture_is_squeezed_cut_and_scaled():
    image = np.full((50, 80, 3), (255, 0, 128), np.uint8)
    found = tagger_input(image)
    assert found.shape == (3, 384, 384)
    expected = (np.array([1, 0, 128 / 255]) - MEAN) / DEVIATION
    np.testing.assert_allclose(found[:, 100, 200], expected, atol=1e-5)
    half = np.zeros((392, 392, 3), np.uint8)
    half[:, :5] = 255
    columns = tagger_input(half)[0, 0]
    assert columns[0] > 2
    assert columns[1] < 0


class Broken(SmallTagger):
    """Gives its tokens for one place too few."""

    def tag(self, pictures: Tensor) -> Tagging:
        said = super().tag(pictures)
        return Tagging(said.probabilities, said.attention, said.tokens[:, 1:])


def test_what_does_not_fit_is_told(tagger: SmallTagger, images: list[np.ndarray]):
    with pytest.raises(TagoodError, match="'cup' is none of the tagger's 40 tags"):
        tag_pictures(tagger, images, ["tag 1", "cup"])
    with pytest.raises(TagoodError, match="no tag; name tags"):
        tag_pictures(tagger, images, [])
    with pytest.raises(TagoodError, match=r"tokens \[1, 144, 512\] for 1 pictures and 40 tags"):
        tag_pictures(Broken().eval(), images[:1], NAMES)
