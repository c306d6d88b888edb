"""`nomaly embedder`: models that turn images and texts into vectors, and whether they are right."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Device, Json, Quiet, command_group, print_json, show_progress
from novic.embedders.kinds import SPECS

cli = command_group(
    "embedder",
    "Check the models that turn images and texts into vectors.",
    "nomaly embedder list",
    "nomaly embedder check starter --data photos/",
)


@cli.command("list", epilog="Example:  nomaly embedder list")
def list_all(as_json: Json = False) -> None:
    """Show the embedders that are known, and which of them lie here ready for use."""
    from app.commands.embedder_tables import print_embedders
    from novic.embedders.kinds import list_embedders

    listed = list_embedders()
    if as_json:
        rows = [{"spec": one.spec, "ready": one.ready, "state": one.state} for one in listed]
        print_json({"embedders": rows})
    else:
        print_embedders(listed)


@cli.command(
    epilog="Examples:  nomaly embedder check starter --data photos/"
    "\n\nnomaly embedder check openclip:timm/ViT-B-16-SigLIP --data cifar10=cifar-10-batches-bin"
    "\n\nnomaly embedder check openclip:/models/siglip --data val/ "
    "--like openclip:timm/ViT-B-16-SigLIP"
)
def check(
    spec: Annotated[
        str,
        typer.Argument(help=f"{SPECS}; MODEL is a hub id or a folder."),
    ],
    data: Annotated[
        str,
        typer.Option(
            help="A folder of class folders, named as the classes (or classes.json: {folder: "
            "name}), or cifar10, food101, imagenet1k below --root, or NAME=FOLDER. CIFAR-10 in "
            "its binary version (cifar-10-batches-bin); the Python version is pickles."
        ),
    ],
    prompts: Annotated[
        Path | None,
        typer.Option(help="Prompts with {c} for the class: a text file, one a line, or JSON."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many images, drawn at random, always the same.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder of all benchmarks, laid out as upstream's.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, valid or all.")] = "valid",
    like: Annotated[
        str,
        typer.Option(
            help="Compare with the published figures of this embedder, of which it is a copy."
        ),
    ] = "",
    precision: Annotated[
        str, typer.Option(help="auto, fp16, bf16 or fp32; half precision on CUDA only.")
    ] = "auto",
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Test an embedder: do images lie nearest to the text of their class?

    Prints top-1 and top-5 with 95% intervals, the published figure, and if both agree within 0.2
    points.
    """
    from app.commands.embedder_tables import print_zero_shot
    from app.errors import UsageError
    from novic.device import resolve_device
    from novic.image_sets import SPLITS
    from novic.model import build_embedder
    from training.evaluation.zero_shot import zero_shot
    from training.evaluation.zero_shot_data import PUBLISHED, open_test_set

    if split not in SPLITS:
        raise UsageError(f"--split {split}: use {', '.join(SPLITS)}")
    if like and like not in PUBLISHED:
        raise UsageError(f"--like {like}: figures are published of {', '.join(PUBLISHED)}")
    test = open_test_set(data, root, split, limit, prompts)
    embedder = build_embedder(spec, resolve_device(device), precision)
    with show_progress(quiet).task("Embedding images", len(test.images.images)) as meter:
        found = zero_shot(embedder, test, like, lambda done, _: meter.to(done, f"{done:,} images"))
    if as_json:
        print_json(found.as_json())
    else:
        print_zero_shot(found)
