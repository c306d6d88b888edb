"""Options that are declared once and taken by several commands."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from app.commands.option_sets import with_option_sets

runner = CliRunner()


@dataclass(frozen=True)
class Size:
    """Two options and one that must be given."""

    height: Annotated[int, typer.Option("--height", "-h", min=1)]
    width: Annotated[int, typer.Option(min=1)] = 4
    names: Annotated[list[str] | None, typer.Option("--name")] = None


@dataclass(frozen=True)
class Told:
    """A flag."""

    loud: Annotated[bool, typer.Option("--loud")] = False


cli = typer.Typer()


@cli.command()
@with_option_sets
def draw(
    shape: Annotated[str, typer.Argument()], *, size: Size, depth: int = 1, told: Told
) -> None:
    """Draw something."""
    typer.echo(f"{shape} {size} {depth} {told}")


def test_what_was_typed_comes_as_the_sets_of_options():
    typed = ["cube", "-h", "2", "--name", "a", "--name", "b", "--depth", "3", "--loud"]
    done = runner.invoke(cli, typed)
    assert done.exit_code == 0, done.output
    sizes = Size(height=2, width=4, names=["a", "b"])
    assert done.stdout == f"cube {sizes} 3 {Told(loud=True)}\n"


def test_limits_and_missing_options_are_told_as_ever():
    missing = runner.invoke(cli, ["cube"])
    assert missing.exit_code == 2
    assert "--height" in missing.stderr
    too_small = runner.invoke(cli, ["cube", "-h", "2", "--width", "0"])
    assert too_small.exit_code == 2
    assert "--width" in too_small.stderr


def test_options_stand_in_the_help_where_their_set_stands():
    shown = runner.invoke(cli, ["--help"]).stdout
    places = [shown.index(name) for name in ("--height", "--width", "--name", "--depth", "--loud")]
    assert places == sorted(places)
    assert "Draw something." in shown
