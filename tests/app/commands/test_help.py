"""Help pages as newcomers meet them, on narrow terminals too."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest
import typer
from typer.testing import CliRunner

from app.cli import cli
from app.commands.help import (
    EVERYWHERE,
    FOR_CAMERAS,
    LOOKING,
    ORDER,
    SITE,
    TOP,
    GroupedCommand,
    GroupedGroup,
)
from tests.app.short_watch import NOMALY, run_nomaly

TREE = typer.main.get_command(cli)


def pages(command: object = TREE, *words: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command with the words that call it."""
    yield words, command
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from pages(below, *words, name)


PAGES = dict(pages())


@cache
def help_of(words: tuple[str, ...], columns: int) -> str:
    shown = CliRunner().invoke(cli, [*words, "--help"], terminal_width=columns)
    assert shown.exit_code == 0, shown.output
    return shown.output


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_no_name_is_cut_at_60_columns_and_every_page_has_examples(words: tuple[str, ...]):
    command, page = PAGES[words], help_of(words, 60)
    assert isinstance(command, GroupedCommand | GroupedGroup)
    shown = page.replace(",", " ").split()
    for param in command.params:
        for name in (*param.opts, *param.secondary_opts):
            if param.param_type_name == "option" and not getattr(param, "hidden", False):
                assert name in shown
    for name in getattr(command, "commands", {}):
        assert set(name.split()) <= set(shown)
    assert "--debug" in shown
    assert "…" not in page
    examples = page.split("Example")[1].splitlines()[1:]
    assert any(line.startswith(f"  nomaly {' '.join(words)}".rstrip()) for line in examples)


@pytest.mark.parametrize("command", ["audit", "watch"])
def test_options_stand_in_groups(command: str):
    page = help_of((command,), 100)
    titles = [line.rstrip(":") for line in page.splitlines() if line.rstrip(":") in ORDER]
    assert titles == [title for title in ORDER if title in titles]
    assert {*titles} >= {*ORDER} - {"Options"}


def test_commands_stand_in_groups_in_the_order_of_work():
    page = help_of((), 100)
    at = [
        page.index(word) for word in ("Every day:", "  audit ", "Sites:", "  scenario ", "Makers")
    ]
    assert at == sorted(at)
    site = help_of(("scenario",), 100)
    at = [site.index(f"  {word} ") for word in ("init", "rate", "review", "build")]
    assert at == sorted(at)


def test_the_tables_name_only_what_there_is():
    options = {
        name
        for words, command in PAGES.items()
        if words and words[0] in LOOKING
        for param in getattr(command, "params", [])
        for name in param.opts
    }
    everywhere = {name for page in PAGES for name in help_of(page, 60).replace(",", " ").split()}
    assert {*FOR_CAMERAS} <= options
    assert {*EVERYWHERE} <= everywhere
    for below, groups in (((), TOP), (("scenario",), SITE)):
        listed = {name for names in groups.values() for name in names}
        assert listed == {words[-1] for words in PAGES if words[:-1] == below and words}


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_versions_are_one_line(word: str):
    told = CliRunner().invoke(cli, [word]).output
    assert len(told.splitlines()) == 1
    assert told.startswith("nomaly 0.")
    assert f"Python {sys.version.split()[0]}" in told


def test_the_package_can_be_run():
    words = [sys.executable, "-m", "nomaly", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("nomaly 0.")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("nomaly au", "audit"), ("nomaly scenario ra", "rate"), ("nomaly audit --normal-f", "--nor")],
)
def test_shells_complete_commands_and_options(typed: str, expected: str):
    done = subprocess.run(
        [NOMALY],
        env={
            **os.environ,
            "_NOMALY_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(typed.split()) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith(expected)


def test_a_slip_of_the_pen_is_answered_with_what_was_meant():
    done = run_nomaly("audti")
    assert done.returncode == 2
    assert "audit" in done.stderr
