"""Asks a provider's batch service through gpt_batch_api: half the price, within a day.

The library does what it is good at: it uploads batches, waits for them and brings their results.
What it does wrong (scenarios_spec §1.6 to §1.8, §2.4, §2.5) is kept from it. It is shown only good
answers, while what really came is read here. It counts neither tokens nor money. It never asks one
by one, at the full price. An answer is first made safe by `take`, then noted in the library's
files; so a kill at any moment neither loses an answer nor counts one twice.
"""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import filelock
import openai
from gpt_batch_api.gpt_requester import BatchResult, BatchState, CachedGPTRequest, GPTRequest
from gpt_batch_api.task_manager import DataclassListOutputFile, TaskManager, TaskState
from gpt_batch_api.tokens import TokenEstimator
from gpt_batch_api.utils import RevertStack
from openai import OpenAI

from scenarios.llm.batch_client import PATIENCE_S, Provider, explained
from scenarios.llm.batch_lines import Outcome, good_line, read_outcomes
from scenarios.llm.batch_quiet import Take, interruptible, quiet
from scenarios.llm.cleaning import Cleaner
from scenarios.llm.costs import CHARACTERS_A_TOKEN, Prices, highest_cost, token_counter
from scenarios.llm.doctor import PREFIX, batch_name, repair
from scenarios.llm.transport import KEPT, BudgetError, ChatError, ChatRequest, EndpointError, Reply

TRIES = 3
"""How often a request is sent that comes back without an answer, such as expired."""
LOOK_S = 1.0
"""How often is looked whether to stop; the library allows no less."""
NO_LIMIT = 1_000_000_000
"""Of requests or tokens, in place of limits that the library keeps without a word."""


class BatchTransport:
    """Asks through a batch service. Implements `Transport`.

    Stopped or killed while batches are at the provider, it leaves them there; the next `ask` from
    the same folder brings their answers.

    Args:
        folder: For the library's files and answers that nobody asked for again; made if missing.
        model: Whom the requests ask; for messages.
        base_url: Address of the provider up to and with /v1; OpenAI's by default.
        key: Its key.
        prices: Of its batch service.
        poll_s: Seconds after which the provider is asked again how a batch stands, at least 1.
        patience_s: How long the provider may be out of reach meanwhile, seconds.
        batch_requests: Most requests in a batch.
        retries: How often a call that failed is repeated at once.
        instead: How to do without a batch service, for messages.
        check: Called about every second while batches are under way; what it raises ends the
            waiting.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of the connection
        self,
        folder: Path,
        model: str,
        base_url: str | None,
        key: str | None,
        prices: Prices,
        *,
        poll_s: float = 10.0,
        patience_s: float = 600.0,
        batch_requests: int = 50_000,
        retries: int = 2,
        instead: str = "ask without it",
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._model = model
        self._clean = Cleaner(base_url, key)
        self._instead = instead
        self._check = check
        self._prices = prices
        self._poll_s = poll_s
        self._patience_s = patience_s
        self._batch_requests = batch_requests
        self._client = OpenAI(
            base_url=base_url, api_key=key or "none", max_retries=retries, timeout=PATIENCE_S
        )

    @property
    def backend(self) -> Literal["batch"]:
        """See `Transport`."""
        return "batch"

    def highest_cost(self, request: ChatRequest) -> float:
        """See `Transport`."""
        return highest_cost(request.body, self._prices, token_counter())

    def ask(self, requests: Iterable[ChatRequest], take: Take) -> None:
        """Ask all of them, and wait for all of them.

        Answers that an earlier call was stopped before are brought first.

        Raises:
            EndpointError: If the provider refuses or is out of reach for long, or a batch failed;
                what was answered was taken.
            BudgetError: If `take` raised it; what was answered by then was taken.
            ChatError: If another process is at work in the folder, or it cannot be written.
        """
        wanted = {request.request_id: request.body for request in requests}
        if not wanted:
            return
        if threading.current_thread() is not threading.main_thread():
            raise ChatError("batches can only be asked for in the main thread of a program")
        with self._explained():
            repair(self._folder, self._client, self._instead)
            for reply in _kept(self._folder):
                if wanted.pop(reply.request_id, None):
                    take(reply)
            if wanted:
                self._run(wanted, take)

    def _run(self, wanted: dict[str, Mapping[str, Any]], take: Take) -> None:
        with quiet() as aloud, interruptible():
            task = _Task(
                self._folder,
                _Work(wanted, aloud(take), self._prices, self._clean),
                Provider(
                    self._client,
                    self._patience_s,
                    self._folder,
                    self._check,
                    max(1, round(self._poll_s / LOOK_S)),
                ),
                remote_update_interval=LOOK_S,
                max_batch_requests=self._batch_requests,
            )
            if not task.run():
                raise ChatError(
                    f"{self._folder}: gpt_batch_api stopped before all was asked; run it again"
                )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the library and its files can raise into a sentence."""
        folder = self._folder
        try:
            yield
        except ChatError as error:
            raise type(error)(self._clean(str(error))) from error
        except filelock.Timeout as error:
            raise ChatError(f"{folder}: another process is at work there; wait for it") from error
        except openai.OpenAIError as error:
            raise explained(error, self._model, self._instead, self._clean) from error
        except OSError as error:
            raise ChatError(f"{folder}: {error.strerror or error}; {KEPT}") from error
        except (AssertionError, ValueError, KeyError, TypeError) as error:
            told = self._clean(str(error)) or type(error).__name__
            raise ChatError(f"{folder}: gpt_batch_api could not go on: {told}; {KEPT}") from error


@dataclass
class _Work:
    """What is asked for, and where it goes."""

    wanted: dict[str, Mapping[str, Any]]
    """Bodies of requests that are not answered yet, by our ids."""
    take: Take
    prices: Prices
    clean: Cleaner
    """For what the provider says of a request."""


class _Kept(DataclassListOutputFile[Reply]):
    """One paid reply on a line, also of those that nobody wants any more."""

    Dataclass = Reply


class _Task(TaskManager):
    """Makes a request of everything that is wanted and not under way, until nothing is wanted.

    A sample is a request, committed while it is under way.
    """

    def __init__(self, folder: Path, work: _Work, provider: Provider, **settings: Any) -> None:  # noqa: ANN401
        self._work = work
        self._kept_ids = {reply.request_id for reply in _kept(folder)}
        self._tries: Counter[str] = Counter()
        self._outcomes: dict[int, Outcome] = {}
        self._stop: ChatError | None = None
        provider.files.read = self._read_results
        costs = ("input_direct", "input_cached", "input_batch", "output_direct", "output_batch")
        super().__init__(
            str(folder),
            PREFIX,
            _Kept.output_factory(),
            init_meta={},
            client=provider,
            endpoint="/v1/chat/completions",
            wandb=False,
            lock_timeout=0,
            auto_parse=False,
            max_retries=0,
            process_failed_batches=-1,
            min_batch_requests=1,
            max_pass_failures=NO_LIMIT,
            max_task_requests=NO_LIMIT,
            max_session_requests=NO_LIMIT,
            max_task_ktokens=NO_LIMIT,
            max_session_ktokens=NO_LIMIT,
            **{f"cost_{cost}_mtoken": 0.0 for cost in costs},
            **settings,
        )
        self.GR.token_estimator = self.GR.queue.token_estimator = _Characters()
        self.GR.generate_batch_metadata = lambda batch: batch_name(folder, batch.local_jsonl)

    def __enter__(self) -> "_Task":
        """Start from what is under way; the library's own notes may be older."""
        super().__enter__()
        under_way = [
            (info.meta or {})["id"]
            for batch in self._batches
            for info in batch.request_info.values()
        ]
        self._state.committed_samples = dict.fromkeys(under_way, 1)
        self._state.succeeded_samples.clear()
        self._state.failed_samples.clear()
        return self

    def generate_requests(self) -> bool:
        """Make the requests that are wanted; there is nothing more to make until some come back."""
        for request_id, body in self._work.wanted.items():
            if request_id not in self._state.committed_samples:
                self.GR.add_request(GPTRequest(dict(body), {"id": request_id}))
        return True

    def commit_cached_request(self, cached_req: CachedGPTRequest) -> None:
        """Note a request as under way."""
        self._state.committed_samples[_id(cached_req)] = 1

    def cached_request_keys(self, cached_reqs: list[CachedGPTRequest]) -> set[str]:
        """Ids of some requests."""
        return set(map(_id, cached_reqs))

    def push_batches(self) -> bool:
        """Send what is ready, unless there is a reason to stop."""
        if self._stop:
            raise self._stop
        return super().push_batches()

    def process_batch_result(self, result: BatchResult, rstack: RevertStack) -> bool:
        """Hand the answers of a batch on; the library repeats nothing by itself."""
        under_way, entries = self._state.committed_samples, self._new_entries
        rstack.callback(setattr, self._state, "committed_samples", dict(under_way))
        rstack.callback(entries.clear)
        self._stop = self._stop or _failure(result.batch)
        for number, info in result.info.items():
            info.retry = False
            request_id = (info.req_info.meta or {})["id"]
            under_way.pop(request_id, None)
            outcome = self._outcomes.pop(number, None)
            if outcome is None:
                continue
            if outcome.again:
                self._tries[request_id] += 1
                if self._tries[request_id] < TRIES:
                    continue
            reply = outcome.reply
            self._hand_on(replace(reply, error=self._work.clean(reply.error)))
        return True

    def wipe_unfinished(self, wipe_failed: bool, rstack: RevertStack) -> bool:
        """Forget what is under way."""
        del wipe_failed, rstack
        self._state.committed_samples.clear()
        return False

    def _hand_on(self, reply: Reply) -> None:
        """Make a reply safe with who wants it, and keep it if it was paid for."""
        if self._work.wanted.pop(reply.request_id, None) is not None:
            try:
                self._work.take(reply)
            except BudgetError as error:
                # It is safe all the same, and so are the others of this batch.
                self._stop = error
        paid = reply.text or reply.tokens_out
        if paid and reply.request_id not in self._kept_ids:
            self._kept_ids.add(reply.request_id)
            self._new_entries.append(reply)

    def _read_results(self, file: str, download: Callable[[str], str]) -> str:
        """The lines of a result file, as the library may see them.

        All files of a batch are read together, to know which requests are in none of them.
        """
        batch = next(b for b in self._batches if b.remote and file in _result_files(b))
        if file != _result_files(batch)[0]:
            return ""
        ids = {f"id-{n}": (info.meta or {})["id"] for n, info in batch.request_info.items()}
        outcomes = read_outcomes(map(download, _result_files(batch)), ids, self._work.prices)
        self._outcomes = {int(name[3:]): outcome for name, outcome in outcomes.items()}
        return "\n".join(map(good_line, outcomes))

    @property
    def _batches(self) -> list[BatchState]:
        """Those under way."""
        if self.GR.S is None:
            raise RuntimeError("the task is not running")
        return self.GR.S.batches

    @property
    def _state(self) -> TaskState:
        if self.T is None:
            raise RuntimeError("the task is not running")
        return self.T

    @property
    def _new_entries(self) -> list[Reply]:
        """Those that are not written yet."""
        if self.D is None:
            raise RuntimeError("the task is not running")
        return self.D.entries


class _Characters(TokenEstimator):
    """Guesses tokens; the library only uses them to keep within the provider's limits.

    The library's own count takes vocabularies from the internet, and schemas only with titles.
    """

    def __init__(self) -> None:
        super().__init__(assumed_completion_ratio=None)

    def payload_input_tokens(self, payload: dict[str, Any], endpoint: str) -> Any:  # noqa: ANN401
        """Tokens of a request."""
        del endpoint
        return SimpleNamespace(total=round(len(json.dumps(payload)) / CHARACTERS_A_TOKEN))

    def payload_output_tokens(self, payload: dict[str, Any], endpoint: str) -> tuple[int, int]:
        """Tokens of its answer, expected and at most."""
        del endpoint
        most = payload.get("max_tokens") or payload.get("max_completion_tokens") or 0
        return most, most


def _failure(batch: BatchState) -> EndpointError | None:
    """Why nothing should be sent after a batch; its requests are made again by the next run."""
    if batch.remote is None or batch.remote.batch.status not in ("failed", "cancelled"):
        return None
    told = batch.remote.batch
    faults = told.errors.data if told.errors and told.errors.data else []
    reasons = "; ".join(sorted({fault.message or fault.code or "" for fault in faults}))
    return EndpointError(
        f"batch {told.id} was {told.status} by the provider: {reasons or 'no reason was given'}; "
        "what was answered is kept, run the same command again to ask the rest once more"
    )


def _result_files(batch: BatchState) -> list[str]:
    """Those that the library reads of a batch, in its order."""
    told = batch.remote.batch if batch.remote else None
    files = (told.error_file_id, told.output_file_id) if told else ()
    return [file for file in files if file]


def _id(request: CachedGPTRequest) -> str:
    return (request.item.req.meta or {})["id"]


def _kept(folder: Path) -> list[Reply]:
    """Paid replies that the library's files hold; lines that a loss of power damaged are none."""
    path = folder / f"{PREFIX}_output.jsonl"
    if not path.exists():
        return []
    replies = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError, TypeError):
            replies.append(Reply(**json.loads(line)))
    return replies
