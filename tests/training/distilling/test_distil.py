from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator
from torch.nn import functional

from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.generate import Decoding, beam_search
from novic.trie import build_trie
from training.distilling.distil import (
    DistilConfig,
    DistilError,
    Material,
    Progress,
    TrainingStopped,
    backward,
    distil,
    draw_batch,
)
from training.distilling.teacher import Teacher
from training.distilling.warm_start import warm_start

NOUNS, CLASSES, WIDTH = 20, 12, 24
CONFIG = DistilConfig(steps=200, batch_size=48, checkpoint_every=1000, bfloat16=False)


def small_material() -> Material:
    """Twenty nouns of one to three tokens, some sharing their first."""
    chance = Generator().manual_seed(7)
    vectors = functional.normalize(torch.randn(NOUNS, WIDTH, generator=chance), dim=1)
    classes = functional.normalize(torch.randn(CLASSES, WIDTH, generator=chance), dim=1)
    answers = torch.softmax(3 * torch.randn(NOUNS, CLASSES, generator=chance), dim=1)
    tokens = torch.zeros(NOUNS, 4, dtype=torch.int64)
    tokens[:, 0] = torch.arange(NOUNS) // 2 + 1
    tokens[1::2, 1] = torch.arange(NOUNS // 2) % 5 + 11
    tokens[3::4, 2] = 16
    texts = torch.stack([vectors, functional.normalize(vectors + 0.1, dim=1)], dim=1)
    traits, even, plain = torch.zeros(NOUNS, 4), torch.zeros(NOUNS), torch.zeros(0, 2).long()
    teacher = Teacher(answers, traits, even, plain, classes, vectors)
    return Material(teacher, tokens, texts)


def small_decoder() -> PrefixedDecoder:
    torch.manual_seed(0)
    sizes = DecoderConfig(
        WIDTH, 17, 4, hidden=32, feedforward=64, layers=2, heads=2, prefix=1, dropout=0.0
    )
    return PrefixedDecoder(sizes)


def test_a_small_vocabulary_is_learnt():
    material, decoder = small_material(), small_decoder()
    losses: list[float] = []
    distil(decoder, material, CONFIG, report=lambda p: losses.append(p.loss))
    assert sum(losses[-20:]) < sum(losses[:20]) / 4
    trie = build_trie(material.tokens.numpy())
    found = beam_search(decoder, trie, material.texts[:, 0], Decoding(beams=5)).nouns
    assert (found[:, 0] == torch.arange(NOUNS)).float().mean() >= 0.95


def test_a_stopped_run_resumes_bit_for_bit(tmp_path: Path):
    config = replace(CONFIG, steps=12)
    whole, stopped, resumed = small_decoder(), small_decoder(), small_decoder()
    distil(whole, small_material(), config)

    def stop_at_five(progress: Progress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    file = tmp_path / "checkpoint.safetensors"
    with pytest.raises(TrainingStopped, match="stopped after step 5 of 12"):
        distil(stopped, small_material(), config, file, stop_at_five)
    distil(resumed, small_material(), config, file)
    for weight, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(weight, other)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path):
    file = tmp_path / "checkpoint.safetensors"
    distil(small_decoder(), small_material(), replace(CONFIG, steps=1), file)
    with pytest.raises(DistilError, match="is of a run with other settings"):
        distil(small_decoder(), small_material(), replace(CONFIG, steps=1, seed=1), file)


def test_the_loss_of_ordinary_rows_is_plain_cross_entropy():
    material, decoder = small_material(), small_decoder()
    tokens = material.tokens[[0, 1, 3]]
    first = functional.one_hot(tokens[:, 0], 17).float()
    loss = backward(decoder, material.texts[[0, 1, 3], 0], tokens, first)
    expected = 0.0
    for row, vector in zip(tokens, material.texts[[0, 1, 3], 0], strict=True):
        said = row[: int((row != 0).sum()) + 1]
        with torch.no_grad():
            logits = decoder(vector[None], said[None])[0]
        expected += functional.cross_entropy(logits, said, reduction="sum").item()
    assert loss == pytest.approx(expected / 3, rel=1e-5)


def test_wanted_first_tokens_are_distributions():
    vectors, tokens, first = draw_batch(small_material(), CONFIG, Generator().manual_seed(0))
    torch.testing.assert_close(first.sum(dim=1), torch.ones(48))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(48))
    assert tokens.shape == (48, 4)


def test_the_teacher_is_a_posterior():
    teacher = small_material().teacher
    chance = Generator().manual_seed(0)
    nouns = teacher.draw_nouns(64, chance)
    answers = teacher.draw_answers(nouns, chance)
    torch.testing.assert_close(answers.sum(dim=1), torch.ones(64))
    torch.testing.assert_close(teacher.posterior(answers).sum(dim=1), torch.ones(64))


def test_a_sure_answer_makes_the_noun_expected_for_it_likely():
    alike = functional.normalize(torch.ones(NOUNS, WIDTH), dim=1)
    teacher = replace(small_material().teacher, noun_vectors=alike)
    best = teacher.posterior(torch.eye(CLASSES)).argmax(dim=1)
    expected = teacher.answers[best, torch.arange(CLASSES)]
    assert (expected > 2 * teacher.answers.mean(dim=0)).all()


def test_a_warm_start_finds_nouns_by_text_before_training():
    material = small_material()
    tokens = torch.zeros(NOUNS, 2, dtype=torch.int64)
    tokens[:, 0] = torch.arange(NOUNS) + 1
    torch.manual_seed(0)
    decoder = PrefixedDecoder(
        DecoderConfig(WIDTH, NOUNS + 1, 2, hidden=32, feedforward=64, layers=2, heads=2, prefix=1)
    ).eval()
    warm_start(decoder, tokens, material.teacher.noun_vectors)
    logits = decoder(material.teacher.noun_vectors, tokens[:, :1])[:, 0, 1:]
    assert (logits.argmax(dim=1) == torch.arange(NOUNS)).float().mean() >= 0.9


def test_a_warm_start_needs_room_for_the_vector():
    narrow = PrefixedDecoder(DecoderConfig(WIDTH, 17, 4, hidden=16, heads=2))
    material = small_material()
    with pytest.raises(ValueError, match="hidden size 16 is smaller than the vectors' width 24"):
        warm_start(narrow, material.tokens, material.teacher.noun_vectors)
