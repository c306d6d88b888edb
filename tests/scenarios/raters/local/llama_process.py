"""The server of the xllamacpp wheel in a process of its own, which can be killed.

`python -m tests.scenarios.raters.local.llama_process SETTINGS`, with the arguments of `serve` as a
JSON object, tells the server's address on a line and ends when stdin does.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[4]
SLOTS = 4
"""Requests that are worked on at once; each has its share of the context."""
CONTEXT = 4096


@dataclass(frozen=True)
class Serving:
    """A server that is up."""

    url: str
    """Up to and with /v1."""
    pid: int

    def busy(self) -> float:
        """Requests that were worked on at once whenever it computed, on average so far."""
        address = f"{self.url.removesuffix('/v1')}/metrics"
        rows = dict(row.rsplit(" ", 1) for row in httpx.get(address).text.splitlines())
        return float(rows["llamacpp:n_busy_slots_per_decode"])

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        os.kill(self.pid, signal.SIGKILL)


@contextmanager
def serving(model: Path, *, context: int = CONTEXT, key: str = "") -> Iterator[Serving]:
    """A server with a model, on a free port of this machine.

    Args:
        model: A GGUF file.
        context: Tokens that a request and its answer may have.
        key: What clients must send.
    """
    settings = json.dumps({"model": str(model), "context": context, "key": key})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scenarios.raters.local.llama_process", settings],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            address = process.stdout.readline().strip()
            assert address, "the server did not start"
            yield Serving(f"{address}/v1", process.pid)
        finally:
            process.kill()


def serve(model: str, context: int, key: str) -> None:
    xllamacpp = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path, params.port = model, 0
    params.n_ctx, params.n_parallel = SLOTS * context, SLOTS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity, params.warmup = -1, False
    params.endpoint_metrics = True
    if key:
        params.api_keys = [key]
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    serve(**json.loads(sys.argv[1]))
