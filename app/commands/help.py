"""Help pages: options and commands in groups, names never cut, examples that can be copied.

Options stand in the group that the tables here name, so that the same option stands in the same
place wherever it is taken.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from app.address import is_address
from app.errors import UsageError
from detectors.kinds import KINDS

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter
    from typer._click.core import Parameter

NORMAL, LOOKED_AT, NAMING = "What is normal", "What is looked at", "Naming"
OUTPUT, SPEED, HELP = "Output", "Speed", "Help"
ARGUMENTS, OTHERS = "Arguments", "Options"
ORDER = (ARGUMENTS, OTHERS, NORMAL, LOOKED_AT, NAMING, OUTPUT, SPEED, HELP)

EVERYWHERE = {
    "--out": OUTPUT,
    "--overwrite": OUTPUT,
    "--json": OUTPUT,
    "--csv": OUTPUT,
    "--quiet": OUTPUT,
    "--json-progress": OUTPUT,
    "--device": SPEED,
    "--engine": SPEED,
    "--ray-address": SPEED,
    "--workers": SPEED,
    "--help": HELP,
    "--version": HELP,
    "--install-completion": HELP,
    "--show-completion": HELP,
}
FOR_CAMERAS = {
    "--normal": NORMAL,
    "--normal-first": NORMAL,
    "--normal-from": NORMAL,
    "--normal-for": NORMAL,
    "--learn": NORMAL,
    "--more": NORMAL,
    "--seconds": NORMAL,
    "--detector": NORMAL,
    "--detector-model": NORMAL,
    "--detector-setting": NORMAL,
    "--false-share": NORMAL,
    "--camera": LOOKED_AT,
    "--connect": LOOKED_AT,
    "--each": LOOKED_AT,
    "--every-frame": LOOKED_AT,
    "--exclude": LOOKED_AT,
    "--for": LOOKED_AT,
    "--fps": LOOKED_AT,
    "--start": LOOKED_AT,
    "--stationary": LOOKED_AT,
    "--dictionary": NAMING,
    "--embedder": NAMING,
    "--ft": NAMING,
    "--gencfg": NAMING,
    "--guide": NAMING,
    "--model": NAMING,
    "--root": NAMING,
    "--scenario": NAMING,
    "--tokenizer": NAMING,
    "--top": NAMING,
    "--names": NAMING,
    "--draw": OUTPUT,
    "--heartbeat": OUTPUT,
    "--keep-days": OUTPUT,
    "--keep-gigabytes": OUTPUT,
    "--on-event": OUTPUT,
    "--remind": OUTPUT,
    "--sink": OUTPUT,
    "--group": OUTPUT,
    "--blur-people": OUTPUT,
    "--metrics": OUTPUT,
}
"""Of the commands that look at pictures; elsewhere the same word may mean another thing."""
INPUTS = frozenset(
    {
        "--cache",
        "--class-names",
        "--dictionary",
        "--images",
        "--nouns",
        "--pairs",
        "--prompts",
        "--tagood",
        "--tokenizer",
        "--tokens",
    }
)
"""Options whose paths are read, in every command."""
TEACHING = frozenset({"fit", "inspect fit"})
"""Commands whose help lists the detectors."""
DETECTORS = "Detectors (--detector-model)"
LOOKING = frozenset(
    {"audit", "watch", "fit", "calibrate", "name", "demo", "inspect", "inspect fit"}
)

TOP = {
    "Every day": (
        "demo",
        "audit",
        "watch",
        "serve",
        "init",
        "config",
        "fit",
        "inspect",
        "inspect fit",
        "name",
        "report",
        "events",
        "ledger",
        "feedback",
        "retain",
        "calibrate",
        "export",
        "dataset",
        "backup",
        "restore",
        "doctor",
        "password",
    ),
    "Sites": ("scenario",),
    "Makers and researchers": (
        "evaluate",
        "evaluate detector",
        "evaluate pipeline",
        "evaluate ood",
        "score",
        "annotate",
        "train",
        "train clipn",
        "train tagood",
        "cache",
        "captions",
        "embedder",
        "model",
        "decode",
    ),
}
"""Groups of commands, and the order in them; what is in none comes last."""
SITE = {
    "Make a site": ("init", "examples", "list", "show", "rate", "review", "build"),
    "More": ("export", "import", "schema", "dictionary", "llm"),
}
"""The same below `scenario`, in the order in which a site is made."""

VALUES = {
    "<str>": "TEXT",
    "<list[str]>": "TEXT",
    "<path>": "PATH",
    "<list[path]>": "PATH",
    "<float>": "NUMBER",
    "<float range>": "NUMBER",
    "<int>": "N",
    "<int range>": "N",
    "<list[int]>": "N",
    "<list[int range]>": "N",
}
"""What values are called instead of by their Python types."""

type Rows = list[tuple[str, str]]


class GroupedCommand(TyperCommand):
    """A command whose options stand in groups, and whose input files are there when it starts."""

    def invoke(self, ctx: "Context") -> object:
        """Call it, unless a file that was named is missing.

        Raises:
            UsageError: If no file is there that an argument, or an option of `INPUTS`, names.
        """
        for param in self.params:
            if param.param_type_name == "argument" or not INPUTS.isdisjoint(param.opts):
                _check_there(ctx.params.get(param.name or ""))
        return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: "Context") -> list[str]:
        """The words behind the command's name, arguments in capitals."""
        pieces = super().collect_usage_pieces(ctx)
        return [re.sub(r"\{(\w+)\}", lambda name: name[1].upper(), piece) for piece in pieces]

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the groups, and --debug, which the program takes from any command line."""
        _write_options(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the examples."""
        del ctx
        _write_examples(self.epilog, formatter)


class GroupedGroup(TyperGroup):
    """Commands below a command, in groups."""

    def list_commands(self, ctx: "Context") -> list[str]:
        """Their names in the order of their groups; others come last."""
        order = [name for names in self._groups(ctx).values() for name in names]
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: order.index(name) if name in order else len(order))

    def resolve_command(
        self, ctx: "Context", args: list[str]
    ) -> "tuple[str | None, Command | None, list[str]]":
        """The command of two words where there is one: `inspect fit`, beside `inspect FOLDER`."""
        joined = " ".join(args[:2])
        if len(args) > 1 and joined in self.commands:
            args = [joined, *args[2:]]
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the commands first: they are what one looks for here."""
        self.format_commands(ctx, formatter)
        _write_options(self.get_params(ctx), ctx, formatter)

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write each group of commands."""
        groups: dict[str, Rows] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                titles = (title for title, names in self._groups(ctx).items() if name in names)
                title = next(titles, "Commands")
                groups.setdefault(title, []).append((name, command.get_short_help_str(200)))
        _write_groups(groups, formatter)

    def format_epilog(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the examples."""
        del ctx
        _write_examples(self.epilog, formatter)

    def _groups(self, ctx: "Context") -> Mapping[str, Sequence[str]]:
        if ctx.parent is None:
            return TOP
        return SITE if self.name == "scenario" else {}


class CommandList(typer.Typer):
    """A typer whose commands and groups show themselves like this."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of typer
        super().__init__(cls=GroupedGroup, rich_markup_mode=None, **options)

    def command(self, name: str | None = None, **options: Any) -> Any:  # noqa: ANN401
        """See `typer.Typer.command`."""
        return super().command(name, cls=GroupedCommand, **options)


def _check_there(given: object) -> None:
    """Refuse paths none of which is there; which of several is missing the command tells."""
    listed = given if isinstance(given, list | tuple) else [given]
    paths = [path for path in listed if isinstance(path, Path)]
    if paths and not any(path.exists() or is_address(str(path)) for path in paths):
        raise UsageError(f"{paths[0]}: there is no such file")


def _write_options(
    params: "Iterable[Parameter]", ctx: "Context", formatter: "HelpFormatter"
) -> None:
    places = EVERYWHERE | (FOR_CAMERAS if ctx.info_name in LOOKING else {})
    groups: dict[str, Rows] = {}
    for param in params:
        record = param.get_help_record(ctx)
        if record is not None:
            row = (_shown(param, record[0]), record[1])
            groups.setdefault(_group(param, places), []).append(row)
    groups.setdefault(HELP, []).append(("--debug", "Show where an error comes from."))
    rank: dict[str, float] = {title: number for number, title in enumerate(ORDER)}
    titles = sorted(groups, key=lambda title: rank.get(title, rank[OTHERS] + 0.5))
    if ctx.info_name in TEACHING:
        groups[DETECTORS] = list(KINDS.items())
        titles.insert(titles.index(NORMAL) + 1, DETECTORS)
    _write_groups({title: groups[title] for title in titles}, formatter)


def _group(param: "Parameter", places: Mapping[str, str]) -> str:
    if param.param_type_name == "argument":
        return ARGUMENTS
    own = getattr(param, "rich_help_panel", None) or OTHERS
    return next((places[name] for name in param.opts if name in places), own)


def _shown(param: "Parameter", names: str) -> str:
    """An argument by its name in capitals, an option with a word for its value."""
    if param.param_type_name == "argument":
        return names.split(" ")[0].upper()
    return re.sub(r"<[^>]+>", lambda kind: VALUES.get(kind[0].lower(), kind[0]), names)


def _write_groups(groups: Mapping[str, Rows], formatter: "HelpFormatter") -> None:
    for title, rows in groups.items():
        with formatter.section(typer.style(title, bold=True)):
            # Wider names stand on a line of their own, so none is ever cut.
            formatter.write_dl(rows, col_max=26)


def _write_examples(epilog: str | None, formatter: "HelpFormatter") -> None:
    """Examples as they can be copied: a line each, never wrapped."""
    if not epilog:
        return
    title, _, rest = epilog.partition(":  ")
    lines = (rest or title).split("\n\n")
    with formatter.section(typer.style(title if rest else "Note", bold=True)):
        for line in lines:
            formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")
