"""Trains a noun decoder to answer as the teacher does: seeded, resumable, step by step.

Each batch is part simulated answers, part template texts. For an answer, the first token is
trained against the teacher's whole distribution and the rest by one noun drawn from it; soft
targets are what makes training affordable (plain sampling had learnt nothing in the same time). For
a text, the noun is the only target. Rows of one length run together, so padding costs nothing.

All chance of a step comes from a generator seeded with the run's seed and the step, so a resumed
run repeats the uninterrupted one bit for bit on the same machine.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Generator, Tensor
from torch.nn import functional

from novic.decoder import PrefixedDecoder
from novic.errors import NomalyError
from novic.tokens import END
from training.distilling.teacher import Teacher
from training.noise import gauss_elem

UNTRAINED = -1
"""Stands behind the first token of a noun whose end is not trained."""

SEED_STRIDE = 1_000_003
"""Keeps the steps of neighbouring seeds apart."""


@dataclass(frozen=True, slots=True)
class DistilConfig:
    """How long and how hard a decoder is trained."""

    steps: int
    seed: int = 0
    batch_size: int = 512
    template_share: float = 0.2
    """Share of the rows that are template texts."""
    ending_share: float = 0.25
    """Share of the answers whose nouns are trained to their end; the others stop behind the first
    token, which is where nearly all of the difficulty lies, and cost less than half."""
    most_noise: float = 0.15
    """Largest norm of the noise on a vector (GaussElem), drawn evenly from 0 for each row."""
    learning_rate: float = 2e-3
    """Highest; warms up over the first 2% of the steps and falls as a cosine to nothing."""
    weight_decay: float = 0.05
    gradient_clip: float = 1.0
    checkpoint_every: int = 250
    bfloat16: bool = True
    """Multiply matrices in bfloat16: measured twice as fast on a CPU that has it. Weights, sums and
    the optimiser stay in float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What is learnt, on the training device."""

    teacher: Teacher
    tokens: Tensor
    """Compact tokens of the nouns [N, C]."""
    texts: Tensor
    """Template text vectors [N, T, F]."""


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a run after a step."""

    step: int
    steps: int
    loss: float
    """Nats a row: divergence of the first token from the teacher, plus the rest of the noun."""


class TrainingStopped(KeyboardInterrupt):
    """Ctrl-C came; the checkpoint is written."""


class DistilError(NomalyError):
    """A checkpoint does not belong to this run."""


def distil(
    decoder: PrefixedDecoder,
    material: Material,
    config: DistilConfig,
    checkpoint: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Train a decoder in place, from its checkpoint if there is one.

    Args:
        decoder: On the device of the material; left in eval mode.
        material: Teacher, tokens and texts.
        config: Length and strength.
        checkpoint: File that is written now and then and on Ctrl-C, and resumed from.
        report: Called after every step.

    Raises:
        TrainingStopped: On Ctrl-C, after the checkpoint is written.
        DistilError: If the checkpoint is of another run.
    """
    optimiser = _optimiser(decoder, config)
    done = 0
    if checkpoint and checkpoint.is_file():
        done = load_checkpoint(checkpoint, decoder, optimiser, config)
    decoder.train()
    try:
        for step in range(done, config.steps):
            loss = _step(decoder, optimiser, material, config, step)
            done = step + 1
            report(Progress(done, config.steps, loss))
            if checkpoint and done % config.checkpoint_every == 0:
                save_checkpoint(checkpoint, decoder, optimiser, config, done)
    except KeyboardInterrupt as stop:
        if checkpoint:
            save_checkpoint(checkpoint, decoder, optimiser, config, done)
        raise TrainingStopped(f"stopped after step {done} of {config.steps}") from stop
    if checkpoint:
        save_checkpoint(checkpoint, decoder, optimiser, config, done)
    decoder.eval()


def learning_rate(config: DistilConfig, step: int) -> float:
    """Rate of a step, counted from 0."""
    warm = max(config.steps // 50, 1)
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    share = (step - warm) / max(config.steps - warm, 1)
    return config.learning_rate * (1 + math.cos(math.pi * share)) / 2


def _step(
    decoder: PrefixedDecoder,
    optimiser: torch.optim.AdamW,
    material: Material,
    config: DistilConfig,
    step: int,
) -> float:
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(config, step)
    device = material.texts.device
    generator = Generator(device).manual_seed(config.seed * SEED_STRIDE + step)
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16):
        vectors, tokens, first = draw_batch(material, config, generator)
        loss = backward(decoder, vectors, tokens, first)
    torch.nn.utils.clip_grad_norm_(decoder.parameters(), config.gradient_clip)
    optimiser.step()
    return loss


@torch.no_grad()
def draw_batch(
    material: Material, config: DistilConfig, generator: Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """One batch.

    Returns:
        Vectors [B, F], tokens [B, C] filled with UNTRAINED where a noun is not trained to its end,
        and wanted distributions of the first token [B, V].
    """
    teacher, device = material.teacher, material.texts.device
    of_texts = round(config.batch_size * config.template_share)
    of_answers = config.batch_size - of_texts
    shown = teacher.draw_nouns(of_answers, generator)
    weights = teacher.draw_answers(shown, generator)
    posterior = teacher.posterior(weights)
    answered = torch.multinomial(posterior, 1, generator=generator).squeeze(1)
    named = torch.randint(len(material.texts), (of_texts,), generator=generator, device=device)
    which = torch.randint(material.texts.shape[1], (of_texts,), generator=generator, device=device)
    first_tokens = material.tokens[:, 0]
    width = int(material.tokens.max()) + 1
    first = posterior.new_zeros(config.batch_size, width)
    first[:of_answers].index_add_(1, first_tokens, posterior)
    rows = torch.arange(of_answers, config.batch_size, device=device)
    first[rows, first_tokens[named]] = 1.0
    vectors = torch.cat([teacher.conse(weights), material.texts[named, which]])
    chance = torch.rand(config.batch_size, 1, generator=generator, device=device)
    noisy = gauss_elem(vectors, config.most_noise * chance, generator)
    tokens = material.tokens[torch.cat([answered, named])]
    tokens[round(of_answers * config.ending_share) : of_answers, 1:] = UNTRAINED
    return noisy, tokens, first


def backward(decoder: PrefixedDecoder, vectors: Tensor, tokens: Tensor, first: Tensor) -> float:
    """Add the gradients of a batch, one run of the decoder for each length of noun.

    Args:
        decoder: In training mode.
        vectors: Unit vectors [B, F].
        tokens: Target nouns [B, C], as `draw_batch` gives them.
        first: Wanted distribution of the first token [B, V].

    Returns:
        Mean loss of a row, nats; the entropy of the wanted distribution is taken off.
    """
    lengths = torch.where(tokens[:, 1] == UNTRAINED, 1, (tokens != END).sum(dim=1) + 1)
    entropy = torch.special.entr(first).sum()
    total = -float(entropy)
    for length in lengths.unique().tolist():
        chosen = torch.nonzero(lengths == length).flatten()
        said = tokens[chosen, :length]
        logits = decoder(vectors[chosen], said.clamp(min=END)).float()
        begin = functional.cross_entropy(logits[:, 0], first[chosen], reduction="sum")
        rest = functional.cross_entropy(
            logits[:, 1:].flatten(0, 1), said[:, 1:].flatten(), reduction="sum"
        )
        loss = begin + rest
        (loss / len(tokens)).backward()
        total += float(loss.detach())
    return total / len(tokens)


def _optimiser(decoder: PrefixedDecoder, config: DistilConfig) -> torch.optim.AdamW:
    """AdamW; matrices decay, gains do not."""
    weights = list(decoder.parameters())
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.95), eps=1e-8)


def save_checkpoint(
    path: Path,
    decoder: PrefixedDecoder,
    optimiser: torch.optim.AdamW,
    config: DistilConfig,
    done: int,
) -> None:
    """Write the weights, the optimiser's moments and the step, replacing the file in one go."""
    if not optimiser.state:
        return
    tensors = {}
    for name, weight in decoder.named_parameters():
        tensors[f"weight.{name}"] = weight.detach()
        for moment in ("exp_avg", "exp_avg_sq"):
            tensors[f"{moment}.{name}"] = optimiser.state[weight][moment]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    save_file(tensors, fresh, metadata={"done": str(done), "config": json.dumps(asdict(config))})
    fresh.replace(path)


def load_checkpoint(
    path: Path, decoder: PrefixedDecoder, optimiser: torch.optim.AdamW, config: DistilConfig
) -> int:
    """Read what `save_checkpoint` wrote; gives the number of steps done.

    Raises:
        DistilError: If the checkpoint was made with another configuration.
    """
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        if metadata["config"] != json.dumps(asdict(config)):
            raise DistilError(
                f"{path} is of a run with other settings: {metadata['config']}; "
                "remove it or train into another folder"
            )
        done = int(metadata["done"])
        for name, weight in decoder.named_parameters():
            weight.data.copy_(file.get_tensor(f"weight.{name}"))
            optimiser.state[weight] = {
                "step": torch.tensor(float(done)),
                "exp_avg": file.get_tensor(f"exp_avg.{name}").to(weight.device),
                "exp_avg_sq": file.get_tensor(f"exp_avg_sq.{name}").to(weight.device),
            }
    return done
