"""Trains a noun decoder on a cache of text vectors, as NOVIC does (novic_spec §5.4 to §7).

All seed of a batch, its noise and its dropout, comes from the run's seed and the batch's number,
and the order of the data from the seed and the epoch. So a run that was killed and goes on from its
checkpoint ends with the same weights, bit for bit, as one that was not (same machine, same number
of threads). Seeds torch's global generator, which dropout draws from. What a run is given is
in `loop_config`.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from novic.bundle import Bundle, save_bundle
from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.trie import Trie, build_trie
from training.batches import Batch
from training.caches.prefetch import one_ahead
from training.checkpoint import differences, load_tensors, read_state, save_checkpoint
from training.distilling.distil import TrainingStopped
from training.held_out import chosen, collect_held_out, held_out_rows, measure
from training.loop_config import RunOptions, TrainConfig, TrainingData
from training.metrics_log import MetricsLog
from training.noise import NoiseConfig
from training.noise import add_noise as noised
from training.schedule import Length, learning_rate, run_length
from training.step import (
    Targets,
    TargetStates,
    TrainingError,
    backward,
    build_optimiser,
    lay_out,
    numerics,
    update,
)

SEED_STRIDE = 1_000_000_007
"""Keeps the batches of neighbouring seeds apart."""

WORK = "work"
"""Folder inside the output that holds the checkpoint; may be deleted once the bundle is there."""

MEASURED_AT_LEAST = 20
"""Times that a run is measured, and every `MEASURE_EVERY` steps at the latest."""
MEASURE_EVERY = 500


@dataclass(slots=True)
class _Sums:
    """Of the steps since the last measurement."""

    steps: int = 0
    loss: float = 0.0
    right: int = 0
    tokens: int = 0


@dataclass(slots=True, eq=False)
class _Run:
    """A run under way."""

    data: TrainingData
    config: TrainConfig
    length: Length
    decoder: PrefixedDecoder
    optimiser: torch.optim.AdamW
    states_of: TargetStates
    identity: dict[str, Any]
    done: int = 0
    """Steps."""
    sums: _Sums = field(default_factory=_Sums)

    @property
    def device(self) -> torch.device:
        return self.decoder.token_table.weight.device

    @property
    def nouns(self) -> Tensor:
        return torch.from_numpy(self.data.tokens.tokens)


def train(
    data: TrainingData,
    sizes: DecoderConfig,
    config: TrainConfig,
    out: Path,
    *,
    device: torch.device | None = None,
    options: RunOptions | None = None,
) -> dict[str, Any]:
    """Train a decoder and write its bundle; goes on from the folder's checkpoint if there is one.

    Args:
        data: Vectors and their nouns.
        sizes: Of the decoder; must fit the data.
        config: How it is trained.
        out: The bundle's folder. Beside the bundle it gets `metrics.jsonl` and, in `work`, the
            checkpoint.
        device: Where it runs.
        options: Progress, stopping, checkpoints.

    Returns:
        The metrics that are also written into the bundle.

    Raises:
        UsageError: If the data set is smaller than a step.
        TrainingError: If the folder holds the checkpoint of another run, a gradient is not finite,
            or a checkpoint cannot be written.
        CacheError: If the cache turns out to be damaged.
        TrainingStopped: If `options.stopping` said so.
    """
    device, options = device or torch.device("cpu"), options or RunOptions()
    with numerics(device, tf32=config.tf32, deterministic=config.deterministic):
        run = _begin(data, sizes, config, out / WORK, device)
        log = MetricsLog(out, run.done, tensorboard=options.tensorboard)
        try:
            _train(run, out / WORK, log, options)
        finally:
            log.close()
    run.decoder.eval()
    metrics = {"nouns": len(data.tokens.nouns), **log.last()}
    metrics["parameters"] = sum(weight.numel() for weight in run.decoder.parameters())
    bundle = Bundle(
        run.decoder,
        data.tokens,
        data.embedder,
        provenance={"command": options.command, **run.identity, "torch": torch.__version__},
        metrics=metrics,
    )
    save_bundle(out, bundle)
    return metrics


def _begin(
    data: TrainingData, sizes: DecoderConfig, config: TrainConfig, work: Path, device: torch.device
) -> _Run:
    """A fresh run, or the one that a checkpoint holds."""
    length = run_length(
        samples=len(data.source),
        nouns=len(data.tokens.nouns),
        batch_size=config.batch_size,
        accumulate=config.accumulate,
        epochs=config.epochs,
        scale=config.chunk_scale,
    )
    torch.manual_seed(config.seed)
    decoder = PrefixedDecoder(sizes).to(device)
    optimiser = build_optimiser(decoder, config.learning_rate, config.weight_decay)
    states_of = decoder.target_states
    if config.compile:
        states_of = torch.compile(states_of, dynamic=True)
    identity = _identity(data, sizes, config)
    run = _Run(data, config, length, decoder.train(), optimiser, states_of, identity)
    if saved := read_state(work):
        folder, state = saved
        _check_identity(folder, state["run"], identity)
        run.done, run.sums = state["step"], _Sums(**state["sums"])
        load_tensors(folder, run.done, decoder, optimiser)
    return run


def _train(run: _Run, work: Path, log: MetricsLog, options: RunOptions) -> None:
    """Make all steps that are not done yet."""
    trie = build_trie(run.data.tokens.tokens).to(run.device)
    samples = collect_held_out(run.data.source, run.config.held_out)
    steps = run.length.steps
    measure_every = max(min(steps // MEASURED_AT_LEAST, MEASURE_EVERY), 1)
    meter = _Meter()
    saved_at = time.monotonic()
    for targets_of_step in _steps(run):
        loss, top1, targets = _step(run, targets_of_step)
        options.report("train", run.done, steps, meter.note(loss, top1, targets))
        if run.done % measure_every == 0 or run.done == steps:
            log.write(run.done, _measured(run, trie, samples, meter.rate()))
            run.sums = _Sums()
        stop = options.stopping() and run.done < steps
        if stop or run.done == steps or time.monotonic() - saved_at >= options.checkpoint_every_s:
            state = {"run": run.identity, "sums": asdict(run.sums)}
            save_checkpoint(work, run.done, state, run.decoder, run.optimiser)
            saved_at = time.monotonic()
        if stop:
            raise TrainingStopped(
                f"stopped after step {run.done} of {steps}; the same command goes on"
            )


def _steps(run: _Run) -> Iterator[list[tuple[int, Batch, Targets]]]:
    """The batches of each step that is not done yet, with their numbers in the run."""
    size, first = run.length.accumulate, run.done * run.length.accumulate
    prepared = one_ahead(_prepared(run, first))
    for _ in range(run.length.steps - run.done):
        step = list(islice(prepared, size))
        if len(step) < size:
            raise TrainingError("the cache gave fewer batches than its number of samples promises")
        yield step


def _prepared(run: _Run, first: int) -> Iterator[tuple[int, Batch, Targets]]:
    """All batches from a number on, without what is held out, with their targets laid out."""
    config, nouns = run.config, run.nouns
    epoch, begin = divmod(first, run.length.epoch_batches)
    number = first
    for now in range(epoch, config.epochs):
        batches = run.data.source.batches(
            config.batch_size, seed=config.seed, epoch=now, first=begin
        )
        for batch in islice(batches, run.length.epoch_batches - begin):
            kept = chosen(batch, ~held_out_rows(batch.vectors, config.held_out))
            targets = lay_out(
                kept, nouns, multi_target=config.multi_target, use_weights=config.use_weights
            )
            yield number, kept, targets
            number += 1
        begin = 0


def _step(run: _Run, batches: list[tuple[int, Batch, Targets]]) -> tuple[float, float, int]:
    """Make a step; gives its loss, its share of right tokens, and its target nouns."""
    config = run.config
    losses, rights = [], []
    for number, batch, laid_out in batches:
        seed = 2 * (config.seed * SEED_STRIDE + number)
        generator = Generator(run.device).manual_seed(seed)
        torch.manual_seed(seed + 1)
        vectors = noised(batch.vectors.to(run.device), config.noise, generator)
        outcome = backward(
            run.decoder,
            vectors,
            laid_out.to(run.device),
            states_of=run.states_of,
            share=1 / len(batches),
            bfloat16=config.bfloat16,
        )
        losses.append(outcome.loss)
        rights.append(outcome.right)
    rate = learning_rate(
        run.length.chunk(run.done),
        run.length.chunks,
        config.learning_rate,
        config.final_rate,
        config.warmup_chunks,
    )
    update(run.decoder, run.optimiser, rate, config.gradient_clip)
    loss, right = float(torch.stack(losses).mean()), int(torch.stack(rights).sum())
    tokens = sum(laid_out.token_count for _, _, laid_out in batches)
    run.done += 1
    run.sums.steps += 1
    run.sums.loss += loss
    run.sums.right += right
    run.sums.tokens += tokens
    return loss, right / tokens, sum(laid_out.count for _, _, laid_out in batches)


def _measured(
    run: _Run, trie: Trie, samples: Batch | None, targets_per_s: float
) -> dict[str, float]:
    """The line of metrics.jsonl after a step."""
    config, length = run.config, run.length
    chunk = length.chunk(run.done - 1)
    values = {
        "epoch": round(run.done * length.accumulate / length.epoch_batches, 3),
        "chunk": chunk + 1,
        "learning_rate": learning_rate(
            chunk, length.chunks, config.learning_rate, config.final_rate, config.warmup_chunks
        ),
        "loss": run.sums.loss / run.sums.steps,
        "train_token_top1": round(run.sums.right / run.sums.tokens, 4),
        "targets_per_s": round(targets_per_s, 1),
    }
    if samples is not None:
        for name, noise in (("clean", NoiseConfig()), ("noised", config.noise)):
            accuracy = measure(run.decoder, trie, run.nouns, samples, noise)
            values[f"{name}_token_top1"] = accuracy.token_top1
            values[f"{name}_noun_top1"] = accuracy.noun_top1
        values["held_out_samples"] = len(samples.vectors)
    return values


class _Meter:
    """Figures of the steps that this process makes."""

    def __init__(self) -> None:
        self._steps = self._targets = 0
        self._began = time.monotonic()
        self._loss = self._top1 = 0.0

    def note(self, loss: float, top1: float, targets: int) -> str:
        """Count a step and say how it goes; loss and top-1 are means of about ten steps."""
        self._steps += 1
        self._targets += targets
        weight = max(1 / self._steps, 0.1)
        self._loss += weight * (loss - self._loss)
        self._top1 += weight * (top1 - self._top1)
        return f"loss {self._loss:.3f}  top-1 {self._top1:.1%}  {self.rate():,.0f} targets/s"

    def rate(self) -> float:
        """Target nouns a second."""
        return self._targets / max(time.monotonic() - self._began, 1e-9)


def _identity(data: TrainingData, sizes: DecoderConfig, config: TrainConfig) -> dict[str, Any]:
    """What must be the same for a run to go on from a checkpoint."""
    table = json.dumps([list(data.tokens.nouns), data.tokens.tokens.tolist()])
    return {
        "embedder": data.embedder,
        "nouns_sha256": hashlib.sha256(table.encode()).hexdigest(),
        "cache": data.cache,
        "decoder": asdict(sizes),
        "training": asdict(config),
    }


def _check_identity(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to go on with another run.

    Raises:
        TrainingError: If the checkpoint is of another embedder, dictionary, cache or configuration.
    """
    changed = {name: (old, new) for name, old, new in differences(before, now)}
    advice = f"train into another folder, or remove {folder.parent} to begin again"
    if "embedder" in changed:
        old, new = changed["embedder"]
        fault = f"is of a run on vectors of '{old}', and this cache holds those of '{new}'"
    elif "nouns_sha256" in changed:
        fault = "is of a run with another dictionary: its nouns or their tokens are not the cache's"
    elif "cache" in changed:
        fault = "is of a run on another cache, though of the same nouns and embedder"
    elif changed:
        name, (old, new) = next(iter(changed.items()))
        fault = f"is of a run with another configuration: {name} was {old!r} and is now {new!r}"
    else:
        return
    raise TrainingError(f"{folder} {fault}; {advice}")
