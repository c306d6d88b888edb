"""The "no" of finished vectors."""

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from novic.clipn.head import HeadSizes, NoHead
from novic.errors import UsageError


def some(count: int, width: int = 12) -> Tensor:
    return functional.normalize(torch.randn(count, width, generator=Generator().manual_seed(3)))


def moved() -> NoHead:
    """A head whose prompts all differ and whose layers do something."""
    torch.manual_seed(0)
    head = NoHead(HeadSizes(12, hidden=20))
    with torch.no_grad():
        head.prompts.normal_(std=0.3)
        head.outer.weight.normal_()
    return head


def test_at_first_no_is_the_text_itself():
    head = NoHead(HeadSizes(12, hidden=20))
    for mode in (True, False):
        torch.testing.assert_close(head.train(mode)(some(5)), some(5))


def test_in_eval_mode_it_is_the_mean_of_the_prompts():
    head, texts = moved().eval(), some(5)
    mean = head.prompts.mean(dim=0)
    inner = functional.gelu((texts + mean) @ head.inner.weight.T)
    expected = functional.normalize(texts + mean + inner @ head.outer.weight.T)
    torch.testing.assert_close(head(texts), expected)
    assert head.prompts.shape == (16, 12)


def test_in_training_mode_prompts_and_their_mean_are_drawn_evenly():
    head = moved().train()
    drawn = head(some(1).expand(3400, -1), Generator().manual_seed(0))
    _, counts = torch.unique((drawn * 1e4).round(), dim=0, return_counts=True)
    assert len(counts) == 17
    assert counts.min() > 140
    assert counts.max() < 260


def test_sizes_that_are_none_are_refused():
    with pytest.raises(UsageError, match="must be at least 1"):
        HeadSizes(12, hidden=0)
