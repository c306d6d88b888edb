"""`nomaly train`: a decoder from a cache of text vectors, or the starter anew."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import (
    Device,
    Json,
    Out,
    Overwrite,
    Quiet,
    command_list,
    print_json,
    show_progress,
)
from app.errors import StoppedError, UsageError

if TYPE_CHECKING:
    import torch

    from app.progress import Reporter
    from training.cached_data import TrainingData
    from training.presets import Preset

STARTER = "starter"
MOST_SEED = 2**31 - 1

PANEL = "Decoder"

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly train --preset starter --out my-starter"
    "\n\nnomaly train --cache cache --preset small --out my-decoder"
    "\n\nnomaly train --cache ft2.bin --batch 8192 --accumulate 1 --bf16 --out ft2"
)
def train(
    out: Out,
    cache: Annotated[
        Path | None,
        typer.Option(help="Vectors and their nouns, made by `nomaly cache`, or a version-1 file."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="upstream: NOVIC's released models, the default with --cache; small: for a few "
            "thousand nouns on a CPU; starter: Nomaly's own, the default without."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes through the cache.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Samples computed at once.")] = None,
    accumulate: Annotated[
        int | None, typer.Option(min=1, help="Batches averaged into one step.")
    ] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate of the first chunk.")] = None,
    final_lr: Annotated[float | None, typer.Option(help="And of the last one.")] = None,
    warmup: Annotated[
        int | None, typer.Option(min=0, help="Chunks in which the rate rises first.")
    ] = None,
    chunk_scale: Annotated[
        int | None, typer.Option(min=1, help="Samples for every noun in a chunk.")
    ] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW, for matrices.")] = None,
    noise: Annotated[
        str | None,
        typer.Option(help='Scheme and its numbers, see above; "" for none.'),
    ] = None,
    single_target: Annotated[
        bool | None, typer.Option("--single-target", help="Only the first noun of a text.")
    ] = None,
    unweighted: Annotated[
        bool | None, typer.Option("--unweighted", help="All nouns of a text count fully.")
    ] = None,
    held_out: Annotated[
        float | None, typer.Option(help="Share of the texts that is measured, never trained on.")
    ] = None,
    hidden: Annotated[
        int | None, typer.Option(min=1, help="Width of its states.", rich_help_panel=PANEL)
    ] = None,
    feedforward: Annotated[
        int | None, typer.Option(min=1, help="Width inside a layer.", rich_help_panel=PANEL)
    ] = None,
    layers: Annotated[
        int | None, typer.Option(min=1, help="Layers.", rich_help_panel=PANEL)
    ] = None,
    heads: Annotated[
        int | None,
        typer.Option(min=1, help="Heads of attention in a layer.", rich_help_panel=PANEL),
    ] = None,
    prefix: Annotated[
        int | None,
        typer.Option(min=1, help="States that the vector becomes.", rich_help_panel=PANEL),
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(min=0, max=0.9, help="Share dropped.", rich_help_panel=PANEL)
    ] = None,
    embedder: Annotated[
        str, typer.Option(help="The cache's embedder; only a version-1 file needs it.")
    ] = "",
    trust: Annotated[
        bool, typer.Option("--trust", help="Believe that the embedder is the cache's.")
    ] = False,
    steps: Annotated[int | None, typer.Option(min=1, help="Of --preset starter.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 0,
    bf16: Annotated[
        bool | None,
        typer.Option("--bf16", help="Multiply in bfloat16: fast where the hardware has it."),
    ] = None,
    tf32: Annotated[
        bool | None, typer.Option("--tf32/--no-tf32", help="Multiply in TF32 on CUDA (default).")
    ] = None,
    compile_: Annotated[
        bool | None, typer.Option("--compile", help="torch.compile; for long runs.")
    ] = None,
    deterministic: Annotated[
        bool | None, typer.Option("--deterministic", help="Bit for bit on CUDA too; slower.")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write OUT/tensorboard.")
    ] = False,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a noun decoder.

    Ctrl-C saves, and the same command goes on from there, as it does after a kill. The folder gets
    the bundle, metrics.jsonl, and in work/ the checkpoint, which may be deleted at the end.

    Noise on the vectors, angles in degrees: GaussElem:NORM, GaussVec:NORM,
    GaussAngle:SPREAD,MOST, UniformAngle:LEAST,MOST, GaussElemUniformAngle:NORM,LEAST,MOST,MIX.
    """
    settings = {
        "epochs": epochs,
        "batch_size": batch,
        "accumulate": accumulate,
        "learning_rate": lr,
        "final_rate": final_lr,
        "warmup_chunks": warmup,
        "chunk_scale": chunk_scale,
        "weight_decay": weight_decay,
        "noise": noise,
        "multi_target": _opposite(single_target),
        "use_weights": _opposite(unweighted),
        "held_out": held_out,
        "bfloat16": bf16,
        "tf32": tf32,
        "compile": compile_,
        "deterministic": deterministic,
    }
    sizes = {
        "hidden": hidden,
        "feedforward": feedforward,
        "layers": layers,
        "heads": heads,
        "prefix": prefix,
        "dropout": dropout,
    }
    changed, resized = given(settings), given(sizes)
    preset = preset or (STARTER if cache is None else "upstream")
    reporter = show_progress(quiet)
    if preset == STARTER:
        if cache or changed or resized or embedder or trust or tensorboard:
            raise UsageError(
                f"--preset {STARTER} trains on texts of its own and takes --steps, --seed and "
                "--device only; use --preset upstream or small to train on a cache"
            )
        if overwrite:
            _clear(out)
        metrics = _train_starter(out, seed, steps, device, reporter)
    else:
        found = _preset(preset)
        if cache is None:
            raise UsageError(f"--preset {preset} needs --cache; make one with nomaly cache nouns")
        if steps:
            raise UsageError(f"--steps is for --preset {STARTER}; use --epochs")
        request = _Request(cache, embedder, trust, out, device, tensorboard, overwrite)
        metrics = _train_cached(request, found, {**changed, "seed": seed}, resized, reporter)
    if as_json:
        print_json({"bundle": str(out), **metrics})
    else:
        if "clean_noun_top1" in metrics:
            typer.echo(
                f"Of {metrics['held_out_samples']} held-out texts {metrics['clean_noun_top1']:.1%} "
                f"are named right, with noise {metrics['noised_noun_top1']:.1%}."
            )
        typer.echo(f"Wrote {out}. Next: nomaly name IMAGE --model {out}")


@dataclass(frozen=True, slots=True)
class _Request:
    """What of a training from a cache is neither setting nor size."""

    cache: Path
    embedder: str
    trust: bool
    out: Path
    device: str
    tensorboard: bool
    overwrite: bool


def _train_starter(
    out: Path, seed: int, steps: int | None, device: str, reporter: "Reporter"
) -> dict[str, Any]:
    from novic.device import resolve_device
    from training.distilling.starter import STEPS, train_starter

    with stop_told(), reporter.stages() as report:
        return train_starter(
            out,
            seed=seed,
            steps=steps or STEPS,
            device=resolve_device(device),
            report=report,
            command=typed(),
        )


def _train_cached(
    request: _Request,
    preset: "Preset",
    changed: dict[str, Any],
    resized: dict[str, Any],
    reporter: "Reporter",
) -> dict[str, Any]:
    from app.stop import stoppable
    from novic.decoder import DecoderConfig
    from novic.device import resolve_device
    from training.loop import train as run
    from training.loop_config import RunOptions
    from training.noise import NoiseConfig

    if "noise" in changed:
        changed["noise"] = NoiseConfig.parse(changed["noise"])
    config = replace(preset.config, **changed)
    device = resolve_device(request.device)
    data = _open_data(request, device)
    sizes = DecoderConfig(
        data.source.width,
        data.tokens.vocabulary,
        data.tokens.max_tokens,
        **{**preset.sizes, **resized},
    )
    if request.overwrite:
        _clear(request.out)
    noise = str(config.noise) or "none"
    reporter.say(
        f"{len(data.tokens.nouns):,} nouns, {len(data.source):,} samples of '{data.embedder}', "
        f"decoder {sizes.hidden} wide with {sizes.layers} layers, noise {noise}"
    )
    with stop_told(), stoppable() as stop, reporter.stages() as report:
        options = RunOptions(
            report=report,
            stopping=lambda: stop.asked,
            tensorboard=request.tensorboard,
            command=typed(),
        )
        return run(data, sizes, config, request.out, device=device, options=options)


def _clear(out: Path) -> None:
    """Remove what an earlier training left in a folder, and nothing else."""
    from novic.bundle import CARD, NOUNS, WEIGHTS
    from training.loop import WORK
    from training.metrics_log import BOARD
    from training.steps import clear_run

    clear_run(out, (CARD, NOUNS, WEIGHTS), (WORK, BOARD))


def _open_data(request: _Request, device: "torch.device") -> "TrainingData":
    from novic.model import build_embedder
    from training.cached_data import open_training_data

    return open_training_data(
        request.cache,
        lambda spec: build_embedder(spec, device),
        spec=request.embedder,
        trust=request.trust,
    )


def _preset(name: str) -> "Preset":
    from training.presets import PRESETS

    if name not in PRESETS:
        raise UsageError(
            f"--preset {name}: there is no such preset; use {', '.join([STARTER, *PRESETS])}"
        )
    return PRESETS[name]


@contextmanager
def stop_told() -> Iterator[None]:
    """Ctrl-C as one sentence."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        raise StoppedError(str(stopped) or "stopped before the training began") from stopped


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Options that were typed."""
    return {name: value for name, value in options.items() if value is not None}


def _opposite(flag: bool | None) -> bool | None:
    return None if flag is None else not flag


def typed() -> str:
    """What the user typed, for the provenance."""
    return " ".join(["nomaly", *sys.argv[1:]])
