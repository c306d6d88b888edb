"""`nomaly train clipn`: what a thing is not, learnt on the texts of an embedder."""

from dataclasses import replace
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
from app.commands.train import MOST_SEED, given, stop_told, typed
from app.errors import UsageError

if TYPE_CHECKING:
    from training.clipn.making import ClipnRequest

TOWERS = ("openclip:", "openai:")
"""Embedders whose text tower is trained."""

cli = command_list()


@cli.command(
    "train clipn",
    epilog="Examples:  nomaly train clipn --out no-things"
    "\n\nnomaly train clipn --images photographs/ --out no-things"
    "\n\nnomaly train clipn --embedder openclip:/models/ViT-B-16 --pairs pairs.tsv --out no-tower",
)
def train_clipn(
    out: Out,
    embedder: Annotated[
        str, typer.Option(help="Whose vectors it reads, as nomaly embedder list shows them.")
    ] = "starter",
    nouns: Annotated[
        Path | None,
        typer.Option(help="Nouns, one a line; by default those of the decoder that is shipped."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Images in a folder of each noun, or named by it: cup-3.jpg."),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Lines of an image's path, a tab and its caption.")
    ] = None,
    on_vectors: Annotated[
        bool,
        typer.Option("--on-vectors", help="No copy of the text tower, also where there is one."),
    ] = False,
    hand_crafted: Annotated[
        bool,
        typer.Option("--hand-crafted", help='A tower that reads texts with "no", without prompts.'),
    ] = False,
    scale: Annotated[
        float | None,
        typer.Option(help="Of the logits; by default the CLIP model's own, 20 on vectors."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Of the training.")] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Pairs of a step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate at first.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW, for matrices.")] = None,
    noise: Annotated[
        float | None,
        typer.Option(help="Norm of the noise at most; 1 on texts alone, none with images."),
    ] = None,
    hidden: Annotated[int, typer.Option(min=1, help="Width inside a head on vectors.")] = 1024,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 0,
    released: Annotated[
        Path | None,
        typer.Option(
            help="Also write a tower and its CLIP model in the layout of CLIPN's authors."
        ),
    ] = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a CLIPN, which tells what none of the known things is.

    On texts alone, a noun's vector with noise stands for its image. Models of open_clip get a "no"
    copy of their text tower, others a small network on the vectors of texts. Ctrl-C saves, and the
    same command goes on from there.
    """
    from app.private import privately
    from app.stop import stoppable
    from novic.clipn.files import CARD, HEAD, TOWER, WEIGHTS
    from novic.device import resolve_device
    from novic.model import build_embedder
    from training.clipn.config import ClipnConfig
    from training.clipn.making import default_settings, make_clipn
    from training.loop_config import RunOptions
    from training.steps import clear_run

    kind = TOWER if embedder.startswith(TOWERS) and not on_vectors else HEAD
    if kind == HEAD and (hand_crafted or released):
        raise UsageError(
            "--hand-crafted and --released are for the text tower of an openclip: or openai: "
            "embedder; leave them out"
        )
    request = replace(
        _request(nouns, images, pairs),
        kind=kind,
        learnable=not hand_crafted,
        hidden=hidden,
        released=released,
    )
    reporter = show_progress(quiet)
    built = build_embedder(embedder, resolve_device(device))
    settings = {
        "scale": scale,
        "steps": steps,
        "batch_size": batch,
        "learning_rate": lr,
        "weight_decay": weight_decay,
        "most_noise": 0.0 if noise is None and request.pairs else noise,
    }
    config = ClipnConfig(
        **{**default_settings(built, kind), "seed": seed, **given(settings)}  # pyright: ignore[reportArgumentType]
    )
    if overwrite:
        clear_run(out, (CARD, WEIGHTS))
    learnt = f"{len(request.pairs):,} images" if request.pairs else f"{len(request.nouns):,} nouns"
    reporter.say(f"A {kind} for '{embedder}' on {learnt}, scale {config.scale:g}")
    private = privately(out, reporter.say)
    with private, stop_told(), stoppable() as stop, reporter.stages() as report:
        options = RunOptions(report=report, stopping=lambda: stop.asked, command=typed())
        told = make_clipn(request, built, config, out, options=options, say=reporter.say)
    _tell(out, told, as_json=as_json)


def _request(nouns: Path | None, images: Path | None, pairs: Path | None) -> "ClipnRequest":
    """What is learnt from, of one place only.

    Raises:
        UsageError: If more than one was named, or there is too little in it.
        ImageSetError: If a folder holds no images, or some beside folders of images.
    """
    from training.clipn.making import ClipnRequest
    from training.clipn.material import folder_pairs, read_nouns, read_pairs, vocabulary_nouns

    if sum(place is not None for place in (nouns, images, pairs)) > 1:
        raise UsageError(
            "--nouns, --images and --pairs are three things to learn from; give one of them"
        )
    if images is not None:
        return ClipnRequest(pairs=tuple(folder_pairs(images)))
    if pairs is not None:
        found = tuple(read_pairs(pairs))
        return ClipnRequest(pairs=found, captions=True)
    known = read_nouns(nouns) if nouns is not None else vocabulary_nouns()
    return ClipnRequest(known)


def _tell(out: Path, told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"clipn": str(out), **told})
        return
    typer.echo(
        f"The loss fell from {told['first_loss']:.3f} to {told['loss']:.3f}: an image and its own "
        f'"no" {told["loss_yes"]:.3f}, another\'s "no" {told["loss_no"]:.3f} (each .693 at first).'
    )
    typer.echo(f"Wrote {out}.")
