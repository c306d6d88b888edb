"""One training step of a noun decoder: the loss of NOVIC (novic_spec §5.5) without its waste.

A sample has up to M target nouns. Upstream pads them to M rows of equal length, runs the prefix in
each row, and computes logits everywhere. Here the prefix runs once a sample, nouns lie one behind
the other without padding, the first token's logits are computed once a sample for all of its
nouns, and the others only where a token is to be predicted. The value and its gradients are the
same.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from novic.decoder import PrefixedDecoder
from novic.errors import NomalyError
from novic.tokens import END
from training.batches import NO_TARGET, Batch

type TargetStates = Callable[
    [Tensor, Tensor, Tensor, Sequence[tuple[int, int]]], tuple[Tensor, Tensor]
]
"""`PrefixedDecoder.target_states`, compiled or not."""


class TrainingError(NomalyError):
    """A run cannot go on or be gone on with; the text says why and what to do."""


LOGIT_CELLS = 2**24
"""Logits that exist at once; bounds the memory of a large batch (64 MiB in float32)."""

BETAS = (0.9, 0.95)
EPSILON = 1e-8
"""Of AdamW, as upstream has them (novic_spec §7.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The real target nouns of B samples, laid out for `PrefixedDecoder.target_states`.

    R nouns, sorted by length, with T tokens in all, END not counted.
    """

    sample: Tensor
    """Of each noun [R], int64."""
    said: Tensor
    """Tokens of the nouns without END [T], int64."""
    groups: list[tuple[int, int]]
    """Nouns of equal length: how many, and their tokens without END."""
    first: Tensor
    """First tokens of each sample's nouns [B, M], int64; END where there is no noun."""
    first_weights: Tensor
    """Weights of the nouns [B, M], float32; 0 where there is none."""
    following: Tensor
    """The token after each of `said` [T, 1], int64."""
    following_weights: Tensor
    """Weight of its noun [T, 1], float32."""
    weight_sum: float
    """Sum over nouns of weight times tokens, END counted: the loss's divisor."""
    token_count: int
    """Tokens to predict, END counted."""

    @property
    def count(self) -> int:
        """R."""
        return len(self.sample)

    def to(self, device: torch.device) -> "Targets":
        """The same on another device."""
        return replace(
            self,
            sample=self.sample.to(device, non_blocking=True),
            said=self.said.to(device, non_blocking=True),
            first=self.first.to(device, non_blocking=True),
            first_weights=self.first_weights.to(device, non_blocking=True),
            following=self.following.to(device, non_blocking=True),
            following_weights=self.following_weights.to(device, non_blocking=True),
        )


def lay_out(
    batch: Batch, nouns: Tensor, *, multi_target: bool = True, use_weights: bool = True
) -> Targets:
    """Lay out the targets of a batch without padding.

    Args:
        batch: Samples, on the CPU.
        nouns: Compact tokens of all nouns, END to the right edge [N, C], int64.
        multi_target: Train all targets of a sample; otherwise its first.
        use_weights: Weigh targets as the batch says; otherwise all alike.
    """
    targets = batch.targets if multi_target else batch.targets[:, :1]
    weights = torch.ones(targets.shape)
    if use_weights and multi_target:
        weights = batch.weights
    real = (targets != NO_TARGET) & (weights > 0)
    weights = weights * real
    sample, column = real.nonzero(as_tuple=True)
    tokens = nouns[targets[sample, column]]
    lengths, order = (tokens != END).sum(dim=1).sort(stable=True)
    sample, column, tokens = sample[order], column[order], tokens[order]
    after = torch.cat([tokens[:, 1:], torch.full((len(tokens), 1), END)], dim=1)
    weight = weights[sample, column]
    inside = torch.arange(tokens.shape[1]) < lengths[:, None]
    counts = lengths.bincount()
    return Targets(
        sample,
        tokens[inside],
        [(int(counts[length]), length) for length in counts.nonzero().flatten().tolist()],
        nouns[targets.clamp(min=0), 0].masked_fill(~real, END),
        weights,
        after[inside].unsqueeze(1),
        weight.repeat_interleave(lengths).unsqueeze(1),
        float((weight * (lengths + 1)).sum()),
        int((lengths + 1).sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a batch cost, on the device; reading it waits for the device."""

    loss: Tensor
    """Weighted mean over the tokens, nats."""
    right: Tensor
    """Tokens that had the largest logit, ends included; ties count."""


def backward(
    decoder: PrefixedDecoder,
    vectors: Tensor,
    targets: Targets,
    *,
    states_of: TargetStates | None = None,
    share: float = 1.0,
    bfloat16: bool = False,
) -> Outcome:
    """Add the gradients of a batch's loss, sum w CE / sum w n, to those of the weights.

    Args:
        decoder: In training mode, on the device of the rest.
        vectors: Unit vectors with their noise [B, F].
        targets: Their nouns.
        states_of: `decoder.target_states`, if it is compiled.
        share: Of this batch in its step: 1 / batches of the step.
        bfloat16: Multiply matrices in bfloat16; weights, sums and probabilities stay float32.
    """
    with torch.autocast(vectors.device.type, torch.bfloat16, enabled=bfloat16):
        ends = (states_of or decoder.target_states)(
            vectors, targets.said, targets.sample, targets.groups
        )
    table = decoder.token_table.weight
    table_grad = torch.zeros_like(table)
    matrix = table.detach().to(torch.bfloat16 if bfloat16 else torch.float32)
    scale = share / targets.weight_sum
    first, following = (
        _output_gradients(states.detach(), matrix, tokens, scale * weights, table_grad)
        for states, tokens, weights in (
            (ends[0], targets.first, targets.first_weights),
            (ends[1], targets.following, targets.following_weights),
        )
    )
    torch.autograd.backward((*ends, table), (first.states, following.states, table_grad))
    return Outcome((first.loss + following.loss) / share, first.right + following.right)


@dataclass(frozen=True, slots=True, eq=False)
class _OutputGradients:
    """What `_output_gradients` gives beside the gradients of the output matrix."""

    loss: Tensor
    right: Tensor
    states: Tensor
    """Gradients on the states [N, H]."""


@torch.no_grad()
def _output_gradients(
    states: Tensor, table: Tensor, wanted: Tensor, weights: Tensor, table_grad: Tensor
) -> _OutputGradients:
    """Weighted cross entropy of final states and its gradients, some rows of logits at a time.

    Gradients are computed while a row's logits are at hand, so that they are never all kept.

    Args:
        states: Final states [N, H].
        table: The output matrix in the dtype that products are computed in [V, H].
        wanted: Tokens to predict from each state [N, M].
        weights: Of those tokens, 0 for none [N, M].
        table_grad: Gradients of the output matrix, added to [V, H].
    """
    loss, right = weights.new_zeros(()), wanted.new_zeros(())
    state_grad = torch.empty_like(states)
    rows = max(LOGIT_CELLS // len(table), 1)
    for part in (slice(at, at + rows) for at in range(0, len(states), rows)):
        known, weight, token = states[part].to(table.dtype), weights[part], wanted[part]
        logits = (known @ table.T).float()
        chosen = logits.gather(1, token)
        top = logits.amax(dim=1, keepdim=True)
        right += ((chosen >= top) & (weight > 0)).sum()
        odds = logits.sub_(top).exp_()
        total = odds.sum(dim=1, keepdim=True)
        loss += (weight * (top + total.log() - chosen)).sum()
        # d/dlogits of sum_m w_m (log sum exp - logit_m) is (sum_m w_m) softmax - w_m at each m.
        grad = odds.mul_(weight.sum(dim=1, keepdim=True) / total)
        grad = grad.scatter_add_(1, token, -weight).to(table.dtype)
        state_grad[part] = grad @ table
        table_grad += grad.T @ known
    return _OutputGradients(loss, right, state_grad)


def build_optimiser(
    decoder: PrefixedDecoder, learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """AdamW of upstream: matrices and tables decay, gains do not."""
    weights = list(decoder.parameters())
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=BETAS, eps=EPSILON, fused=True)


def update(
    decoder: PrefixedDecoder,
    optimiser: torch.optim.AdamW,
    learning_rate: float,
    gradient_clip: float,
) -> None:
    """Change the weights by the gradients that were added up, and forget these.

    Args:
        decoder: The decoder.
        optimiser: Its optimiser.
        learning_rate: Of this step.
        gradient_clip: Largest norm of all gradients together.

    Raises:
        TrainingError: If a gradient is not finite; the weights are left as they were.
    """
    norm = torch.nn.utils.clip_grad_norm_(decoder.parameters(), gradient_clip)
    if not torch.isfinite(norm):
        raise TrainingError(
            "a gradient is not finite: the vectors hold NaN or the learning rate is too high; "
            "check the cache with `nomaly cache verify`, or lower --lr"
        )
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


@contextmanager
def numerics(device: torch.device, *, tf32: bool, deterministic: bool) -> Iterator[None]:
    """Set torch's switches for a run, and set them back.

    Args:
        device: Where the run is.
        tf32: Round the inputs of float32 products to TF32; on CUDA only.
        deterministic: Refuse operations whose result depends on their order.
    """
    before = torch.are_deterministic_algorithms_enabled()
    matmul = torch.backends.cuda.matmul
    precision = matmul.fp32_precision
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # What torch asks for on CUDA.
    torch.use_deterministic_algorithms(deterministic)
    if device.type == "cuda":
        matmul.fp32_precision = "tf32" if tf32 else "ieee"
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        matmul.fp32_precision = precision
