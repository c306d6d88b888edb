"""The `nomaly` command: what it consists of, and how faults are told."""

import logging
import os
import sys
import traceback
from io import TextIOWrapper
from typing import Annotated

import typer

from app.commands import (
    annotate,
    backup,
    cache,
    calibrate,
    captions,
    clipn,
    config,
    dataset,
    demo,
    doctor,
    embedder,
    evaluating,
    evaluation,
    events,
    export,
    feedback,
    fitting,
    init,
    inspecting,
    ledger,
    model,
    naming,
    password,
    pipeline,
    report,
    retain,
    scenario,
    serving,
    tagood,
    train,
    unknown,
    watching,
)
from app.commands.help import CommandList
from app.hiding import tame
from app.redact import RedactFilter, hide, redact
from app.sources.typed import check_words
from app.stop import acknowledged
from novic.errors import NomalyError
from novic.extras import missing_package

cli = CommandList(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Examples:  nomaly demo\n\n"
    "nomaly audit shift.mp4\n\n"
    "nomaly watch rtsp://user:password@camera/stream --learn 60 --out hall\n\n"
    "nomaly audit --help",
)

for module in (
    demo,
    init,
    watching,
    fitting,
    config,
    inspecting,
    report,
    serving,
    events,
    ledger,
    retain,
    feedback,
    calibrate,
    export,
    dataset,
    backup,
    naming,
    doctor,
    password,
    evaluation,
    evaluating,
    pipeline,
    unknown,
    train,
    clipn,
    tagood,
    scenario,
    model,
    embedder,
    captions,
    cache,
    annotate,
):
    cli.add_typer(module.cli)

TYPER_ABORTED = 130
"""What typer makes of a Ctrl-C that no command handled."""


def _tell_version(asked: bool) -> None:
    if asked:
        from app.doctor import versions  # noqa: PLC0415 - only who asks for it

        typer.echo(versions())
        raise typer.Exit


@cli.callback()
def nomaly(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", help="Nomaly's version.", callback=_tell_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Cameras that name what should not be there.

    Start with nomaly demo, which needs no camera; nomaly doctor tells what this machine can do.
    """


def main() -> None:
    """Run the command and leave at once."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A file's name that is not UTF-8 is told escaped; it must not end the telling.
            stream.reconfigure(errors="backslashreplace")
    try:
        _run()
    except SystemExit as ended:
        if "torch" not in sys.modules or not isinstance(ended.code, int):
            raise
        # Everything is written by now; unloading torch and OpenVINO takes longer than a stopped
        # watch may take to end.
        os._exit(ended.code if _flushed() else ended.code or 1)


def _flushed() -> bool:
    """Hand on all that was written; returns whether that could be."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return False
    return True


def _run() -> None:
    """Every expected fault is one sentence and an exit code."""
    debug = "--debug" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR)
    for handler in logging.getLogger().handlers:
        handler.addFilter(RedactFilter())
    try:
        hide(os.environ.get("OPENAI_API_KEY", ""))
        check_words(sys.argv[1:])
        with acknowledged(lambda text: typer.echo(text, err=True), "Stopping ..."):
            cli(standalone_mode=True)
    except SystemExit as ended:
        if ended.code != TYPER_ABORTED:
            raise
        _fail("stopped before there was anything to report", 1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except NomalyError as error:
        _show_trace(debug)
        _fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        _show_trace(debug)
        missing = missing_package(error.name or str(error))
        _fail(str(missing), missing.exit_code)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        _show_trace(debug)
        _fail(f"unexpected {type(error).__name__}: {error} (--debug shows where)", 1)


def _show_trace(debug: bool) -> None:
    if debug:
        typer.echo(redact(traceback.format_exc()), err=True)


def _fail(sentence: str, code: int) -> None:
    typer.echo(f"nomaly: {tame(redact(sentence))}", err=True)
    sys.exit(code)
