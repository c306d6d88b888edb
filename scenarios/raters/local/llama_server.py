"""Log-odds of yes against no, one noun at a time, by the server within the xllamacpp wheel.

The way that is left where llama.cpp cannot be called directly: it needs no knowledge of C layouts
and costs several times as much. Values differ a little from the other way's, so what is asked here
is a question of its own and never mixed with the other (scenarios_spec §3.4).
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scenarios.raters.local.llama import CONTEXT, NO, YES, sha256_of
from scenarios.raters.local.llama_library import import_xllamacpp
from scenarios.raters.local.wordings import Turn
from scenarios.ratings.records import RatingError

LIKELIEST = 40
"""Tokens that the server tells the probability of. Spellings beyond them hardly count."""


class LlamaServer:
    """A language model behind xllamacpp's server, which listens on loopback only."""

    how = "xllamacpp server, one noun at a time, ChatML"

    def __init__(self, path: Path, threads: int) -> None:
        """Load a model.

        Args:
            path: A GGUF file.
            threads: Of the processor.

        Raises:
            RatingError: If the file cannot be read, or xllamacpp is not installed.
        """
        self.name, self.sha256 = path.name, sha256_of(path)
        package = import_xllamacpp()
        params = package.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel = CONTEXT, 1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.verbosity, params.warmup = -1, False
        try:
            self._server: Any = package.Server(params)
        except Exception as error:  # xllamacpp does not say what it raises
            raise RatingError(
                f"{path}: llama.cpp cannot load it: {error}. It must be a whole GGUF file of a "
                "language model"
            ) from error
        # A server that is closed before it has answered once never ends.
        self._ask("a")

    def close(self) -> None:
        """Free everything."""
        self._server = None

    def rendered(self, turns: Sequence[Turn], *, answering: bool) -> str:
        """Lay a conversation out as ChatML, whatever the model.

        Args:
            turns: The messages.
            answering: Whether the beginning of the model's own turn follows.
        """
        text = "".join(f"<|im_start|>{role}\n{said}<|im_end|>\n" for role, said in turns)
        return text + ("<|im_start|>assistant\n" if answering else "")

    def log_odds(
        self, prefix: str, endings: Sequence[str], taken: Callable[[int], None] | None = None
    ) -> list[float]:
        """How much more likely yes is than no as what follows each text.

        Args:
            prefix: What all texts begin with; the server remembers it from call to call.
            endings: The rest of each text.
            taken: Told how many tokens were read in all.

        Returns:
            Natural logarithms of P(yes) / P(no), over all spellings of both words.

        Raises:
            RatingError: If the server refuses, or neither word is among the likeliest.
        """
        return [self._one(prefix + ending, taken) for ending in endings]

    def _one(self, prompt: str, taken: Callable[[int], None] | None) -> float:
        answer = self._ask(prompt)
        try:
            (first,) = answer["choices"][0]["logprobs"]["content"]
            likeliest = {item["token"]: item["logprob"] for item in first["top_logprobs"]}
            if taken is not None:
                taken(answer["usage"]["prompt_tokens"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise RatingError(f"{self.name}: its server refuses: {str(answer)[:300]}") from error
        return log_odds_of(likeliest)

    def _ask(self, prompt: str) -> Any:  # noqa: ANN401
        return self._server.handle_completions(
            {
                "prompt": prompt,
                "n_predict": 1,
                "n_probs": LIKELIEST,
                "cache_prompt": True,
                "temperature": 0,
            }
        )


def log_odds_of(likeliest: dict[str, float]) -> float:
    """Log-odds of yes against no from the likeliest tokens.

    A word of which no spelling is among them is taken as likely as the last one, at most.

    Args:
        likeliest: Logarithms of their probabilities.

    Raises:
        RatingError: If neither word is among them.
    """
    yes = [likeliest[word] for word in YES if word in likeliest]
    no = [likeliest[word] for word in NO if word in likeliest]
    if not yes and not no:
        raise RatingError(
            f"the model wants to say neither yes nor no but {max(likeliest, key=likeliest.get)!r}; "  # pyright: ignore[reportCallIssue, reportArgumentType]
            "use another model"
        )
    last = min(likeliest.values())
    return _log_sum(yes or [last]) - _log_sum(no or [last])


def _log_sum(values: Sequence[float]) -> float:
    highest = max(values)
    return highest + math.log(sum(math.exp(value - highest) for value in values))
