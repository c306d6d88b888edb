"""Asks a provider's batch service for captions, through gpt_batch_api: half the price, and slow.

What is under way is kept in a folder of the library's own files: requests already paid for are
waited for and used by the next run of the same command. Rounds of fewer than 101 requests, such as
the last ones, are asked directly one by one; that is the library's rule.
"""

import contextlib
import logging
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import filelock
import openai
import tiktoken
from gpt_batch_api.gpt_requester import BatchResult, CachedGPTRequest, GPTRequest, ResultInfo
from gpt_batch_api.task_manager import DataclassListOutputFile, TaskManager, TaskState
from gpt_batch_api.utils import RevertStack
from openai import OpenAI
from openai.types.chat import ChatCompletion

from scenarios.dictionary import NUMBERS
from training.captioning.rules import (
    BATCH_PREFIX,
    CAPTIONS_PER_CALL,
    TOKENS_PER_ANSWER,
    Answer,
    NounInProgress,
    request,
)
from training.texts.captions import CaptionError


def open_client(base_url: str | None, key: str | None) -> OpenAI:
    """A client of a server.

    Args:
        base_url: Address up to and with /v1; OpenAI's by default.
        key: Its key.
    """
    return OpenAI(base_url=base_url, api_key=key or "none")


def write_in_batches(
    nouns: Sequence[NounInProgress],
    client: OpenAI,
    folder: Path,
    model: str,
    report: Callable[[int], None] = lambda _: None,
    **requester: Any,  # noqa: ANN401 - arguments of gpt_batch_api's GPTRequester
) -> None:
    """Ask, wait and ask again until every noun has its captions or is given up.

    Must run in the main thread: the library takes over Ctrl-C, and holds it back while it saves.

    Args:
        nouns: Brought to where they were; filled in place.
        client: Where to ask.
        folder: For the library's files; made if missing.
        model: Whom to ask.
        report: Called with the number of new captions whenever results came.
        requester: Further arguments of the library's GPTRequester: prices, limits.

    Raises:
        CaptionError: If another process is at work in the folder, the server cannot be used, or a
            limit ended the work; what was answered before is kept.
    """
    _check_vocabulary(model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("gpt_batch_api").setLevel(logging.ERROR)
    try:
        # The library prints its state; stdout is for results, and progress is told otherwise.
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            task = CaptionTask(nouns, folder, model, report, client=client, **requester)
            done = task.run()
    except filelock.Timeout as error:
        raise CaptionError(f"{folder}: another process is writing captions there") from error
    except openai.OpenAIError as error:
        raise CaptionError(
            f"the batch service refused: {error}; what was answered is kept in {folder}, "
            "the same command goes on from there; --direct does without the batch service"
        ) from error
    except (RuntimeError, ValueError, OSError, AssertionError) as error:
        raise CaptionError(
            f"gpt_batch_api could not go on: {str(error) or type(error).__name__}; "
            f"what was answered is kept in {folder}, the same command goes on from there; "
            "--direct does without the batch service"
        ) from error
    if not done:
        raise CaptionError(
            f"a spending limit ended the work; what was answered is kept in {folder}, "
            "the same command goes on from there"
        )


def _check_vocabulary(model: str) -> None:
    """See that tokens can be counted; the library fetches what it counts with from the internet.

    Raises:
        CaptionError: If it cannot.
    """
    try:
        try:
            tiktoken.encoding_for_model(model)
        except KeyError:
            tiktoken.get_encoding("o200k_base")
    except OSError as error:
        raise CaptionError(
            "gpt_batch_api counts tokens with a vocabulary that could not be fetched from the "
            "internet; set TIKTOKEN_CACHE_DIR to a folder that holds it, or use --direct"
        ) from error


class _AnswersFile(DataclassListOutputFile[Answer]):
    """One answer on a line."""

    Dataclass = Answer


class CaptionTask(TaskManager):
    """Rounds of requests: a noun is asked again once all that is known of it has come back.

    A sample is a noun; its state is only how many requests were committed and answered. Its
    captions follow from the answers, which are the output file.
    """

    def __init__(
        self,
        nouns: Sequence[NounInProgress],
        folder: Path,
        model: str,
        report: Callable[[int], None],
        **requester: Any,  # noqa: ANN401
    ) -> None:
        self._nouns = {noun.entry.target_noun: noun for noun in nouns}
        self._model = model
        self._report = report
        most_tokens = next(
            (_most_tokens(request(model, noun.entry, "singular")) for noun in nouns), 1
        )
        super().__init__(
            str(folder),
            BATCH_PREFIX,
            _AnswersFile.output_factory(),
            # The model is no part of it: another model may go on with the same captions.
            init_meta={},
            wandb=False,
            lock_timeout=0,
            endpoint="/v1/chat/completions",
            auto_parse=False,
            assumed_completion_ratio=TOKENS_PER_ANSWER / most_tokens,
            **requester,
        )

    def generate_requests(self) -> bool:
        """Make the requests that are due; there is nothing more to make until some come back."""
        for target, noun in self._nouns.items():
            if self._under_way(target):
                continue
            for number in NUMBERS:
                for _ in range(math.ceil(noun.lacks(number) / CAPTIONS_PER_CALL)):
                    body = request(self._model, noun.entry, number)
                    self.GR.add_request(GPTRequest(body, {"target": target, "number": number}))
        return True

    def commit_cached_request(self, cached_req: CachedGPTRequest) -> None:
        """Count a request as committed."""
        target = _meta(cached_req)["target"]
        _count(self._state.committed_samples, target)

    def cached_request_keys(self, cached_reqs: list[CachedGPTRequest]) -> set[str]:
        """The nouns of some requests."""
        return {_meta(cached_req)["target"] for cached_req in cached_reqs}

    def process_batch_result(self, result: BatchResult, rstack: RevertStack) -> bool:
        """Take the answers of a batch over; what will be retried is still under way."""
        state, entries = self._state, self._new_answers
        before = (dict(state.succeeded_samples), dict(state.failed_samples), list(entries))

        def revert() -> None:
            state.succeeded_samples, state.failed_samples = before[0], before[1]
            entries[:] = before[2]

        rstack.callback(revert)
        new = 0
        finished = [info for info in result.info.values() if not info.retry]
        for info in finished:
            answer = _answer(info)
            entries.append(answer)
            counts = state.succeeded_samples if answer.text else state.failed_samples
            _count(counts, answer.target_noun)
            if noun := self._nouns.get(answer.target_noun):
                new += noun.add(answer.number, answer.text)
        self._report(new)
        return bool(finished)

    def wipe_unfinished(self, wipe_failed: bool, rstack: RevertStack) -> bool:
        """Forget what is under way, and failures if asked to; answers stay."""
        state = self._state
        if wipe_failed:
            state.failed_samples.clear()
        answered = {*state.succeeded_samples, *state.failed_samples}
        state.committed_samples = {
            target: state.succeeded_samples.get(target, 0) + state.failed_samples.get(target, 0)
            for target in answered
        }
        return False

    def _under_way(self, target: str) -> int:
        state = self._state
        return (
            state.committed_samples.get(target, 0)
            - state.succeeded_samples.get(target, 0)
            - state.failed_samples.get(target, 0)
        )

    @property
    def _state(self) -> TaskState:
        if self.T is None:
            raise RuntimeError("the task is not running")
        return self.T

    @property
    def _new_answers(self) -> list[Answer]:
        """Those that are not written yet."""
        if self.D is None:
            raise RuntimeError("the task is not running")
        return self.D.entries


def _answer(info: ResultInfo) -> Answer:
    """The answer to a request; its text is empty if there is none."""
    meta = info.req_info.meta or {}
    completion = info.resp_info.payload if info.resp_info and not info.err_info else None
    text, usage = "", None
    if isinstance(completion, ChatCompletion) and completion.choices:
        text, usage = completion.choices[0].message.content or "", completion.usage
    return Answer(
        meta["target"],
        meta["number"],
        text,
        info.req_payload["model"],
        usage.prompt_tokens if usage else 0,
        usage.completion_tokens if usage else 0,
    )


def _meta(request: CachedGPTRequest) -> dict[str, Any]:
    return request.item.req.meta or {}


def _count(counts: dict[str, Any], target: str) -> None:
    counts[target] = counts.get(target, 0) + 1


def _most_tokens(body: dict[str, Any]) -> int:
    return body.get("max_tokens") or body["max_completion_tokens"]
