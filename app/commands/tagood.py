"""`nomaly train tagood`: what known classes look like, learnt on the tokens of tagged things."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import (
    Device,
    EmbedderSpec,
    Json,
    Model,
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
    import torch

    from app.progress import Reporter
    from novic.tagood.patches import Mask
    from training.loop_config import RunOptions
    from training.tagood.making import Material

cli = command_list()


@cli.command(
    "train tagood",
    epilog="Examples:  nomaly train tagood --images photographs/ --out my-tagood"
    "\n\nnomaly train tagood --images photographs/ --source dinov2-s --mask all --out my-tagood"
    "\n\nnomaly train tagood --tokens extracted/ --published --device cuda --out as-published",
)
def train_tagood(
    out: Out,
    images: Annotated[
        Path | None,
        typer.Option(help="Images in a folder of each class, called by its noun, or cup-3.jpg."),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Instead: tokens that a tagger gave, CLASS/PICTURE.pt as TagOOD's authors have "
            "them.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="Network whose cells are the tokens: starter (the default), dinov2-s, timm:NAME "
            "or local-dir:FOLDER."
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(
            help="Cells that are kept: centre (the default), text, where the noun is by the "
            "starter's cells, or all."
        ),
    ] = None,
    empty: Annotated[
        bool,
        typer.Option(
            "--empty",
            help="A picture without a tag above 0.5 has none and scores 0, known or not; by "
            "default it gets its likeliest tag.",
        ),
    ] = False,
    model: Model = None,
    embedder: EmbedderSpec = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes through the images.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Images of a step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate at first.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW.")] = None,
    centres: Annotated[
        str | None,
        typer.Option(
            help="corrected: running means; means: plain means at the end; published: running "
            "means with what is left of their random start."
        ),
    ] = None,
    one_pass: Annotated[
        bool | None,
        typer.Option("--one-pass", help="One dropout for both losses, in half the time."),
    ] = None,
    published: Annotated[
        bool,
        typer.Option("--published", help="Epochs, batch, rate and centres of TagOOD's authors."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 0,
    save_tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Also write the images' tokens in the layout of --tokens."
        ),
    ] = None,
    released: Annotated[
        Path | None,
        typer.Option(help="Also write a checkpoint in the layout of TagOOD's authors."),
    ] = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a TagOOD, which tells what looks like none of the known classes.

    The nouns that the decoder says are a picture's tags; of its cells those that show what is
    tagged are kept. nomaly evaluate ood --tagood measures what it is worth. Ctrl-C saves, and the
    same command goes on from there.
    """
    from app.private import privately
    from app.stop import stoppable
    from novic.device import resolve_device
    from novic.tagood.files import CARD, WEIGHTS
    from training.loop_config import RunOptions
    from training.steps import clear_run
    from training.tagood.config import PUBLISHED, TagoodConfig
    from training.tagood.making import make_tagood, write_extracted

    for_images = {
        "--source": source,
        "--mask": mask,
        "--empty": empty or None,
        "--model": model,
        "--embedder": embedder,
        "--save-tokens": save_tokens,
    }
    marked = _checked(images, tokens, mask, list(given(for_images)))
    settings = {
        "epochs": epochs,
        "batch_size": batch,
        "learning_rate": lr,
        "weight_decay": weight_decay,
        "centres": centres,
        "two_passes": None if one_pass is None else not one_pass,
    }
    preset = PUBLISHED if published else {}
    config = TagoodConfig(**{**preset, "seed": seed, **given(settings)})
    reporter = show_progress(quiet)
    where = resolve_device(device)
    private = privately(out, reporter.say)
    with private, stop_told(), stoppable() as stop, reporter.stages() as report:
        options = RunOptions(report=report, stopping=lambda: stop.asked, command=typed())
        if images is not None:
            eyes = _Eyes(source, marked, empty, model, embedder)
            material = eyes.see(images, where, options, reporter)
        else:
            material = _extracted(tokens, options)
        reporter.say(
            f"A TagOOD of {len(material.classes):,} classes on {len(material.pictures):,} images, "
            f"tokens of {material.width}"
        )
        if overwrite:
            clear_run(out, (CARD, WEIGHTS))
        if save_tokens is not None:
            write_extracted(save_tokens, material)
        told = make_tagood(material, config, out, options=options, device=where, released=released)
    _tell(out, told, as_json=as_json)


@dataclass(frozen=True)
class _Eyes:
    """What sees pictures, as it was asked for."""

    source: str | None
    mask: "Mask | None"
    empty: bool
    model: Path | None
    embedder: str | None

    def see(
        self, images: Path, device: "torch.device", options: "RunOptions", reporter: "Reporter"
    ) -> "Material":
        """Tags and tokens of the images of a folder."""
        from novic.model import ModelOptions, load_model
        from novic.tagood.tokens import EMPTY, ONE_RULE
        from training.clipn.material import folder_pairs
        from training.tagood.making import USUAL_MASK, see_pictures
        from training.tagood.sources import STARTER, patch_source

        pairs = folder_pairs(images)
        cells = patch_source(self.source or STARTER, device)
        model = load_model(self.model, device, ModelOptions(embedder=self.embedder, persons=False))
        return see_pictures(
            pairs,
            model,
            cells,
            mask=USUAL_MASK if self.mask is None else self.mask,
            rule=EMPTY if self.empty else ONE_RULE,
            options=options,
            say=reporter.say,
        )


def _extracted(tokens: Path | None, options: "RunOptions") -> "Material":
    from training.tagood.making import read_extracted

    assert tokens is not None  # noqa: S101 - `_checked` saw to it
    return read_extracted(tokens, options=options)


def _checked(
    images: Path | None, tokens: Path | None, mask: str | None, for_images: Sequence[str]
) -> "Mask | None":
    """The mask; options that do not go together are refused before anything heavy is loaded.

    Args:
        images: Folder that was named.
        tokens: The other.
        mask: By its name.
        for_images: Options that were given and say how images are seen.

    Raises:
        UsageError: If some do not.
    """
    if (images is None) == (tokens is None):
        raise UsageError("give --images or --tokens, one of them, to learn from")
    if tokens is not None and for_images:
        raise UsageError(f"{', '.join(for_images)}: only for --images; leave out with --tokens")
    from novic.tagood.patches import MASKS

    if mask is None:
        return None
    if mask not in MASKS:
        raise UsageError(f"--mask {mask}: there are {', '.join(MASKS)}")
    return MASKS[MASKS.index(mask)]


def _tell(out: Path, told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"tagood": str(out), **told})
        return
    typer.echo(
        f"The loss fell from {told['first_loss']:.3f} to {told['loss']:.3f}; {told['right']:.1%} "
        f"of the last images are told right. {told['tagged']} of {told['images']} images have a "
        f"tag, {told['tokens_kept']:.1f} tokens each are kept."
    )
    typer.echo(f"Wrote {out}.")
