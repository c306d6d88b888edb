"""Runs the command in processes of their own that need not import the heavy libraries again.

Importing torch and timm takes longer than most commands do. A server process imports them once for
all tests of a pytest process, and forks a new process for every command, whose arguments, folder,
environment, streams and exit code are its own.
"""

import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Self

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(
    [
        "app.cli",
        "app.watching.audit",
        "app.names.naming",
        "novic.embedders.starter",
        "detectors.models.anomalib_models",
    ]
)


class Forked:
    """The command under way; as much of `subprocess.Popen` as the tests use."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._folder = tempfile.TemporaryDirectory(prefix="forked-")
        self._said = [Path(self._folder.name, name) for name in ("stdout", "stderr")]
        self._process = _forking.Process(
            target=_carry_out,
            args=(words, Path.cwd(), dict(os.environ), [Path(os.devnull), *self._said]),
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs, below 0 after a signal."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit code so far."""
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.returncode is None:
            os.kill(self.pid, number)

    @property
    def stderr(self) -> Path:
        """What it says there."""
        return self._said[1]

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutExpired(self._words, timeout or 0, *self.texts())

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end, and what it said on stdout and stderr."""
        self.wait(timeout)
        return self.texts()

    def first_lines(self, count: int) -> list[str]:
        """What it says first on stderr, once it has."""
        until = time.monotonic() + 60
        while (said := self.texts()[1]).count("\n") < count:
            assert self.returncode is None, said
            assert time.monotonic() < until, said
            time.sleep(0.02)
        return said.splitlines()[:count]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.kill()
        self._process.join()
        self._folder.cleanup()

    def texts(self) -> tuple[str, str]:
        stdout, stderr = (path.read_text() if path.exists() else "" for path in self._said)
        return stdout, stderr


def run_forked(words: Sequence[str], timeout_s: float) -> CompletedProcess[str]:
    """Run the command to its end.

    Raises:
        TimeoutExpired: If that took longer; it is killed then.
    """
    with Forked(words) as running:
        said = running.communicate(timeout_s)
        assert running.returncode is not None
        return CompletedProcess(["nomaly", *words], running.returncode, *said)


def _carry_out(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[Path]
) -> None:
    """What the installed command does, in a process that was forked for it."""
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    # As a new interpreter reads it.
    encoding, _, errors = environment.get("PYTHONIOENCODING", "").partition(":")
    encoding, errors = encoding or None, errors or None
    sys.stdin = os.fdopen(0, encoding=encoding, errors=errors)
    sys.stdout = os.fdopen(1, "w", encoding=encoding, errors=errors)
    sys.stderr = os.fdopen(2, "w", 1, encoding=encoding, errors="backslashreplace")
    # A crash in a library's own code shall say where.
    faulthandler.enable()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["nomaly", *words]
    from app.cli import main

    main()
