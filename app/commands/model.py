"""`nomaly model`: checkpoints become bundles, and what a decoder is."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Json, Out, Overwrite, Quiet, command_group, print_json
from app.errors import StoreError
from novic.model_files import check_model

cli = command_group(
    "model",
    "Convert checkpoints and show what a model is.",
    "nomaly model show",
    "nomaly model convert novic.train --out my-decoder",
)


@cli.command(
    epilog="Example:  nomaly model convert ovod_chunk0899_20240612_005748.train --out siglip-b16"
)
def convert(
    checkpoint: Annotated[
        Path,
        typer.Argument(help="A .train file of the upstream project.", callback=check_model),
    ],
    out: Out,
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the embedder's tokenizer.json, where the hub's cache has none. "
            "CLIP's own tokenizer comes with Nomaly."
        ),
    ] = None,
    half: Annotated[
        bool,
        typer.Option(
            "--half/--float32",
            help="Weights as float16: half the size, scores move by some hundredths.",
        ),
    ] = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn a checkpoint into a bundle, which needs no tokenizer and names the same nouns."""
    from app.commands.model_card import print_model_card, read_model_card
    from novic.bundle import BundleError, check_place, save_new_bundle
    from novic.upstream import load_checkpoint

    check_place(out, overwrite=overwrite)
    bundle = load_checkpoint(checkpoint, tokenizer=tokenizer)
    try:
        save_new_bundle(out, bundle, half=half, overwrite=overwrite)
    except BundleError as error:
        raise StoreError(str(error)) from error
    card = read_model_card(out)
    if as_json:
        print_json(card.as_json())
    elif not quiet:
        print_model_card(card)


@cli.command(
    epilog="Example:  nomaly model show siglip-b16     Without a file: the model Nomaly ships."
)
def show(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a bundle, or a .train file; default: the shipped one.",
            callback=check_model,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a model is: sizes, nouns, embedder, training, metrics, hashes."""
    from app.commands.model_card import print_model_card, read_model_card
    from novic.model import starter_bundle_path

    card = read_model_card(file or starter_bundle_path())
    if as_json:
        print_json(card.as_json())
    else:
        print_model_card(card)
