import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.tokens import END
from tests.novic.builders import random_nouns, random_vectors
from training import step
from training.batches import NO_TARGET, Batch
from training.step import TrainingError, backward, build_optimiser, lay_out, update

TOKENS = random_nouns(60, 40, 7)
NOUNS = torch.from_numpy(TOKENS.tokens)
WIDTH = 12


def small_decoder(dropout: float = 0.0) -> PrefixedDecoder:
    torch.manual_seed(1)
    sizes = DecoderConfig(
        WIDTH, TOKENS.vocabulary, TOKENS.max_tokens, 32, 16, 2, 4, prefix=3, dropout=dropout
    )
    return PrefixedDecoder(sizes).train()


def some_batch(weights: str) -> Batch:
    """Nine samples of one to three targets; one names the same noun twice."""
    targets = torch.tensor(
        [
            *([0, 1, 2], [3, -1, -1], [4, 4, -1], [59, 58, -1], [7, -1, -1]),
            *([20, 21, 22], [30, -1, -1], [31, 32, -1], [0, -1, -1]),
        ]
    )
    real = targets != NO_TARGET
    if weights == "equal":
        share = real / real.sum(dim=1, keepdim=True)
    else:
        share = torch.tensor([0.7, 0.2, 0.1]) * real
    return Batch(random_vectors(len(targets), WIDTH), targets, share)


def padded_loss(
    decoder: PrefixedDecoder, batch: Batch, multi_target: bool = True, use_weights: bool = True
) -> tuple[Tensor, int]:
    """The loss as upstream computes it: M padded rows a sample, logits everywhere."""
    targets = batch.targets if multi_target else batch.targets[:, :1]
    weights = batch.weights if use_weights and multi_target else (targets >= 0).float()
    weights = weights[:, : targets.shape[1]].flatten()
    rows = NOUNS[targets.clamp(min=0)].flatten(0, 1)
    wide = batch.vectors.repeat_interleave(targets.shape[1], dim=0)
    logits = decoder(wide, rows)
    total, divisor, right = torch.zeros(()), torch.zeros(()), 0
    for row, weight, scores in zip(rows, weights, logits, strict=True):
        if weight == 0:
            continue
        length = int((row != END).sum()) + 1
        total = total + weight * functional.cross_entropy(
            scores[:length], row[:length], reduction="sum"
        )
        divisor = divisor + weight * length
        right += int((scores[:length].argmax(dim=1) == row[:length]).sum())
    return total / divisor, right


def gradients(decoder: PrefixedDecoder) -> dict[str, Tensor]:
    found = {}
    for name, weight in decoder.named_parameters():
        assert weight.grad is not None
        found[name] = weight.grad.clone()
    decoder.zero_grad()
    return found


@pytest.mark.parametrize("weights", ["equal", "falling"])
@pytest.mark.parametrize(
    ("multi_target", "use_weights"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_the_loss_and_its_gradients_are_those_of_padded_rows(
    weights: str, multi_target: bool, use_weights: bool
):
    decoder, batch = small_decoder(), some_batch(weights)
    expected, right = padded_loss(decoder, batch, multi_target, use_weights)
    expected.backward()
    wanted = gradients(decoder)
    targets = lay_out(batch, NOUNS, multi_target=multi_target, use_weights=use_weights)
    outcome = backward(decoder, batch.vectors, targets)
    assert float(outcome.loss) == pytest.approx(float(expected.detach()), abs=1e-5)
    assert int(outcome.right) == right
    for name, gradient in gradients(decoder).items():
        torch.testing.assert_close(gradient, wanted[name], atol=1e-6, rtol=1e-4, msg=name)


def test_logits_in_many_small_parts_change_nothing(monkeypatch: pytest.MonkeyPatch):
    decoder, batch = small_decoder(), some_batch("equal")
    whole = backward(decoder, batch.vectors, lay_out(batch, NOUNS))
    wanted = gradients(decoder)
    monkeypatch.setattr(step, "LOGIT_CELLS", 2 * TOKENS.vocabulary)
    parts = backward(decoder, batch.vectors, lay_out(batch, NOUNS))
    torch.testing.assert_close(parts.loss, whole.loss)
    for name, gradient in gradients(decoder).items():
        torch.testing.assert_close(gradient, wanted[name], atol=1e-6, rtol=1e-4)


def test_nothing_is_computed_for_padding():
    batch = some_batch("equal")
    targets = lay_out(batch, NOUNS)
    real = batch.targets[batch.targets >= 0]
    lengths = (NOUNS[real] != END).sum(dim=1)
    assert targets.count == len(real)
    assert len(targets.said) == int(lengths.sum())
    assert targets.token_count == int((lengths + 1).sum())
    assert [length for _, length in targets.groups] == sorted(set(lengths.tolist()))
    assert sum(rows * length for rows, length in targets.groups) == len(targets.said)


def test_batches_of_a_step_add_up_to_their_mean():
    decoder, batch = small_decoder(), some_batch("equal")
    halves = [
        Batch(batch.vectors[part], batch.targets[part], batch.weights[part])
        for part in (slice(0, 4), slice(4, 9))
    ]
    mean = torch.stack([padded_loss(decoder, half)[0] for half in halves]).mean()
    mean.backward()
    wanted = gradients(decoder)
    for half in halves:
        backward(decoder, half.vectors, lay_out(half, NOUNS), share=0.5)
    for name, gradient in gradients(decoder).items():
        torch.testing.assert_close(gradient, wanted[name], atol=1e-6, rtol=1e-4)


def test_bfloat16_is_near_float32():
    decoder, batch = small_decoder(), some_batch("equal")
    exact = backward(decoder, batch.vectors, lay_out(batch, NOUNS))
    wanted = gradients(decoder)
    near = backward(decoder, batch.vectors, lay_out(batch, NOUNS), bfloat16=True)
    assert float(near.loss) == pytest.approx(float(exact.loss), rel=0.01)
    for name, gradient in gradients(decoder).items():
        assert gradient.dtype == torch.float32
        likeness = functional.cosine_similarity(gradient.flatten(), wanted[name].flatten(), dim=0)
        assert likeness > 0.99, name


def test_dropout_is_on_while_training_and_repeats_with_its_seed():
    decoder, batch = small_decoder(dropout=0.3), some_batch("equal")
    targets = lay_out(batch, NOUNS)
    losses = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        losses.append(float(backward(decoder, batch.vectors, targets).loss))
    assert losses[0] == losses[1] != losses[2]


def test_only_matrices_decay():
    decoder = small_decoder()
    optimiser = build_optimiser(decoder, 1e-3, 0.1)
    decaying, still = optimiser.param_groups
    assert decaying["weight_decay"] == 0.1
    assert still["weight_decay"] == 0.0
    assert all(weight.ndim == 2 for weight in decaying["params"])
    assert len(still["params"]) == 2 * 2 + 1
    assert len(decaying["params"]) + len(still["params"]) == len(list(decoder.parameters()))
    assert decaying["betas"] == (0.9, 0.95)
    assert decaying["eps"] == 1e-8


def test_gradients_are_clipped_together():
    decoder, batch = small_decoder(), some_batch("equal")
    optimiser = build_optimiser(decoder, 0.0, 0.0)
    backward(decoder, batch.vectors, lay_out(batch, NOUNS), share=1000.0)
    update(decoder, optimiser, 0.0, 1.0)
    moments = [optimiser.state[weight]["exp_avg"] for weight in decoder.parameters()]
    norm = torch.stack([moment.norm() for moment in moments]).norm()
    assert float(norm) == pytest.approx(0.1, rel=1e-3)  # 1 - beta1 of the clipped gradient
    assert all(weight.grad is None for weight in decoder.parameters())


def test_a_gradient_that_is_not_finite_stops_the_run_before_the_weights_change():
    decoder, batch = small_decoder(), some_batch("equal")
    optimiser = build_optimiser(decoder, 1e-3, 0.1)
    before = decoder.token_table.weight.detach().clone()
    batch.vectors[3, 2] = math.nan
    backward(decoder, batch.vectors, lay_out(batch, NOUNS))
    with pytest.raises(TrainingError, match="a gradient is not finite"):
        update(decoder, optimiser, 1e-3, 1.0)
    assert torch.equal(decoder.token_table.weight, before)


def test_starting_weights_are_balanced():
    hidden, feedforward, layers, prefix = 512, 128, 6, 4
    torch.manual_seed(0)
    decoder = PrefixedDecoder(DecoderConfig(768, 2000, 10))
    depth = 1 / math.sqrt(2 * layers)
    attended = (2 * prefix - 1) / prefix**2
    first = decoder.decoder_layers()[0]
    expected = {
        decoder.prefix_in: math.sqrt(0.5),
        decoder.token_table: math.sqrt(0.5),
        decoder.position_table: math.sqrt(0.5),
        first.attention_in: 1 / math.sqrt(hidden),
        first.attention_out: 1 / math.sqrt(hidden) / math.sqrt(attended) * depth,
        first.feedforward_in: 1 / math.sqrt(hidden),
        first.feedforward_out: 1 / (math.sqrt(feedforward) * 0.6521) * depth,
    }
    assert expected[first.attention_out] == pytest.approx(0.01929, abs=1e-5)
    assert expected[first.feedforward_out] == pytest.approx(0.03914, abs=2e-5)
    for module, spread in expected.items():
        weight = module.weight
        assert isinstance(weight, Tensor)
        weight = weight.detach()
        assert float(weight.std()) == pytest.approx(spread, rel=0.03)
        assert abs(float(weight.mean())) < 0.05 * spread
    assert torch.equal(first.attention_norm.weight, torch.ones(hidden))
    assert torch.equal(first.feedforward_norm.weight, torch.ones(hidden))
    gain = torch.full((hidden,), 1 / math.sqrt(hidden))
    torch.testing.assert_close(decoder.final_norm.weight.detach(), gain)
    with torch.no_grad():
        logits = decoder(random_vectors(16, 768), torch.ones(16, 1, dtype=torch.int64))
    assert float(logits.std()) == pytest.approx(0.707, abs=0.05)
