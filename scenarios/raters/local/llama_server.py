"""Log-odds of yes against no, one noun at a time, by the server within the xllamacpp wheel.

It runs in this process, listens on loopback only and remembers the beginning that all nouns share,
so a noun costs no more than the few tokens of its own. Only its HTTP interface is used, which holds
from build to build where llama.cpp's C structures do not (docs/decisions.md).
"""

import importlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from novic.digest import file_sha256
from novic.extras import needing
from scenarios.raters.local.wordings import Turn
from scenarios.ratings.records import RatingError

CONTEXT = 4096
"""Tokens that a prefix and one ending may take together."""

YES = ("yes", "Yes", "YES", " yes", " Yes", " YES")
NO = ("no", "No", "NO", " no", " No", " NO")

_RAISED = 100
"""Added to the logits of both answers, so that the server tells their probabilities, not others'.
What is between yes and no stays as it is."""

_LEAST_PROBABILITY = 1e-37
"""Smaller ones are 0 in single precision."""


class LlamaServer:
    """A language model behind xllamacpp's server. Close it to free its memory."""

    how = "xllamacpp server, one noun at a time"
    """Values of other ways differ a little, so what is asked this way is a question of its own."""
    address: str
    """Host and port of its HTTP interface."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load a model.

        Args:
            path: A GGUF file.
            threads: Of the processor.

        Raises:
            RatingError: If the file cannot be read, is no model that answers yes or no, or
                xllamacpp is not installed.
        """
        self.name, self.sha256 = path.name, sha256_of(path)
        self._server: Any = _serve(path, threads)
        self.address = self._server.listening_address.removeprefix("http://")
        try:
            # A server that is closed before it has answered once never ends.
            self._post("/completion", {"prompt": "a", "n_predict": 1})
            self._yes, self._no = self._tokens(YES), self._tokens(NO)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Free everything."""
        self._server = None

    def rendered(self, turns: Sequence[Turn], *, answering: bool) -> str:
        """Lay a conversation out as the model knows it, or as ChatML if llama.cpp cannot.

        Args:
            turns: The messages.
            answering: Whether the beginning of the model's own turn follows.
        """
        messages = [{"role": role, "content": text} for role, text in turns]
        answer = self._post(
            "/apply-template", {"messages": messages, "add_generation_prompt": answering}
        )
        return chatml(turns, answering) if "error" in answer else answer["prompt"]

    def log_odds(
        self, prefix: str, endings: Sequence[str], taken: Callable[[int], None] | None = None
    ) -> list[float]:
        """How much more likely yes is than no as what follows each text.

        Args:
            prefix: What all texts begin with. Reading it costs most of the time of the first call;
                later calls with the same one go on from there.
            endings: The rest of each text.
            taken: Told how many tokens were read for each text.

        Returns:
            Natural logarithms of P(yes) / P(no), over all spellings of both words.

        Raises:
            RatingError: If the texts are too long, or the model gives no numbers.
        """
        return [self._one(prefix + ending, taken) for ending in endings]

    def _one(self, prompt: str, taken: Callable[[int], None] | None) -> float:
        answers = [*self._yes, *self._no]
        answer = self._post(
            "/completion",
            {
                "prompt": prompt,
                "cache_prompt": True,
                "n_predict": 1,
                "logit_bias": [[token, _RAISED] for token in answers],
                "samplers": [],
                "temperature": 1,
                "post_sampling_probs": True,
                "n_probs": len(answers),
            },
        )
        if "error" in answer:
            raise self._refused(answer["error"])
        if taken is not None:
            taken(answer["timings"]["prompt_n"])
        try:
            told = answer["completion_probabilities"][0]["top_probs"]
            of_token = {item["id"]: float(item["prob"]) for item in told}
            yes, no = (
                max(sum(of_token[token] for token in tokens), _LEAST_PROBABILITY)
                for tokens in (self._yes, self._no)
            )
        except (KeyError, IndexError, TypeError) as error:
            raise RatingError(
                f"{self.name}: gives no numbers, so the file may be damaged: {str(answer)[:300]}"
            ) from error
        return math.log(yes) - math.log(no)

    def _tokens(self, spellings: Sequence[str]) -> list[int]:
        """Tokens of an answer: of its spellings, those that are a token each."""
        read = [self._post("/tokenize", {"content": word})["tokens"] for word in spellings]
        found = {tokens[0] for tokens in read if len(tokens) == 1}
        if not found:
            raise RatingError(
                f"{self.name}: has no token for the word {spellings[0]}, so it cannot be asked; "
                "use another model"
            )
        return sorted(found)

    def _refused(self, error: Mapping[str, Any]) -> RatingError:
        if error.get("type") == "exceed_context_size_error":
            return RatingError(
                f"the site's description and examples take {error['n_prompt_tokens']:,} tokens and "
                f"{CONTEXT:,} fit: shorten the description or give fewer examples"
            )
        return RatingError(f"{self.name}: llama.cpp refuses: {error.get('message')}")

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the server answers, which may be an `error`."""
        connection = HTTPConnection(self.address)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            raise RatingError(f"{self.name}: llama.cpp stopped answering: {error}") from error
        finally:
            connection.close()


def _serve(path: Path, threads: int) -> Any:  # noqa: ANN401 - xllamacpp has no types
    sleep_while_waiting()
    with needing("the local language model"):
        package: Any = importlib.import_module("xllamacpp")
    params = package.CommonParams()
    params.model.path, params.port = str(path), 0
    params.n_ctx, params.n_parallel, params.n_gpu_layers = CONTEXT, 1, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity, params.warmup = -1, False
    # Chat layouts are llama.cpp's own: those within model files may tell today's date.
    params.use_jinja = False
    try:
        return package.Server(params)
    except Exception as error:  # xllamacpp does not say what it raises
        raise RatingError(
            f"{path}: llama.cpp cannot load it: {error}. It must be a whole GGUF file of a "
            "language model"
        ) from error


def sleep_while_waiting() -> None:
    """Have the model's threads sleep, not spin, while they wait for each other at every step.

    On a machine with other work, spinning took six times the work itself. OpenMP's library is told
    once, when it is loaded, and torch loads the same one: call this before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def chatml(turns: Sequence[Turn], answering: bool) -> str:
    """A conversation in the layout that most models know; see `LlamaServer.rendered`."""
    text = "".join(f"<|im_start|>{role}\n{said}<|im_end|>\n" for role, said in turns)
    return text + ("<|im_start|>assistant\n" if answering else "")


def sha256_of(path: Path) -> str:
    """SHA-256 of a model file, in hex.

    Raises:
        RatingError: If it cannot be read.
    """
    try:
        return file_sha256(path)
    except OSError as error:
        raise RatingError(
            f"{path}: cannot be read: {error.strerror}. `nomaly scenario llm fetch` fetches a model"
        ) from error
