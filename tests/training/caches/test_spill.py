from itertools import chain
from pathlib import Path

import pytest

from tests.training.cache_builders import quiet, some_captions
from training.caches.spill import PARTS, SpillCounts, groups, read_parts, spill, text_hash
from training.texts.samples import Caption


def same(text: str) -> str:
    return text


def test_every_text_comes_back_once_with_all_its_counts(tmp_path: Path):
    captions = [*some_captions(500), *some_captions(300)]
    counts = spill(captions, tmp_path / "spill", same, 4, quiet)
    assert (counts.captions, counts.max_targets) == (800, 3)
    assert counts.samples == sum(caption.count for caption in captions)
    texts = list(
        chain.from_iterable(read_parts(tmp_path / "spill", parts, same) for parts in groups(counts))
    )
    assert {text.text: text.counts for text in texts} == {
        caption.text: {caption.targets: caption.count * (1 + (number < 300))}
        for number, caption in enumerate(some_captions(500))
    }
    assert len(texts) == 500


def test_a_part_is_a_random_sample(tmp_path: Path):
    """Captions come noun by noun; a part must not hold neighbours only."""
    spill([Caption(f"text {n}", (0,)) for n in range(5120)], tmp_path / "spill", same, 1, quiet)
    part = read_parts(tmp_path / "spill", range(8), same)
    numbers = [int(text.text.split()[1]) for text in part]
    assert 110 < len(numbers) < 210
    assert max(numbers) - min(numbers) > 4500
    assert numbers != sorted(numbers)


def test_groups_hold_all_parts_and_fit_into_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.caches.spill.TOGETHER", 100)
    sizes = tuple([30] * 10 + [0] * 5 + [250] + [1] * (PARTS - 16))
    found = list(groups(SpillCounts(sizes, 0, 1)))
    assert list(chain.from_iterable(found)) == list(range(PARTS))
    held = [sum(sizes[part] for part in group) for group in found]
    assert all(0 < size <= 100 or size == 250 for size in held)
    assert len(held) == 8


def test_a_finished_spill_is_not_made_again(tmp_path: Path):
    first = spill(some_captions(50), tmp_path / "spill", same, 4, quiet)
    again = spill(iter(()), tmp_path / "spill", same, 4, quiet)
    assert again == first


def test_the_hash_of_a_text_never_changes():
    """Or a cache begun by an earlier version would go on wrongly; `b2sum -l 64` says the same."""
    assert text_hash("a photo of a cat.") == 0xED936989E5BC4A15
