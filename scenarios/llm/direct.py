"""Asks any server that speaks OpenAI's chat protocol, many requests at once."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import openai
from openai import AsyncOpenAI

from scenarios.llm.batch_lines import read_completion
from scenarios.llm.cleaning import Cleaner, shown_endpoint
from scenarios.llm.costs import DIRECT_PRICES, Prices, highest_cost, token_counter
from scenarios.llm.faults import may_pass, meaning, status, told
from scenarios.llm.forms import Form
from scenarios.llm.transport import KEPT, ChatRequest, EndpointError, Reply

RETRIES = 6
"""Of a request that found the server busy, at fault or absent: each waits twice as long as the one
before, or as long as the server says."""
LONGEST_WAIT_S = 120.0
"""A server that wants more is not waited for."""
REQUEST_S = 120.0
"""Longest wait for an answer."""
SLOW_RETRIES = 1
"""Of a request that was waited for in vain: a server that is too slow stays so, and goes on working
on what nobody waits for any more."""
QUICK_S = 30.0
"""Longest wait for what is under way after Ctrl-C."""
MOST_FAULTS = 8
"""Requests in a row that fail for good before the endpoint is taken to answer nobody."""
LOOK_S = 0.2
"""How often is looked whether to stop."""

type Take = Callable[[Reply], None]


class DirectTransport:
    """Asks by chat completions, one request each. Implements `Transport`.

    Args:
        model: Its name at the endpoint, for messages.
        base_url: Address up to and with /v1; OpenAI's by default.
        key: Its key; servers of one's own may need none. It is shown nowhere.
        parallel: Requests under way at once.
        prices: For what the endpoint says it read and wrote, or for what is counted here if it says
            nothing.
        wait_s: First wait before a request is repeated, seconds.
        retries: Of a request that found the server busy, at fault or absent.
        most_faults: Requests in a row that fail for good before the endpoint is taken to answer
            nobody; those replies are held back until then. None hands them all on at once.
        check: Called several times a second; what it raises ends the asking as if `take` had.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of the connection
        self,
        model: str,
        base_url: str | None,
        key: str | None,
        parallel: int = 8,
        prices: Prices = DIRECT_PRICES,
        *,
        wait_s: float = 0.5,
        retries: int = RETRIES,
        most_faults: int | None = MOST_FAULTS,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._base_url, self._key, self._parallel, self._prices = base_url, key, parallel, prices
        self._endpoint = _Endpoint(model, base_url, key, prices, (retries, wait_s))
        self._most_faults, self._check = most_faults, check

    @property
    def backend(self) -> Literal["direct"]:
        """See `Transport`."""
        return "direct"

    def highest_cost(self, request: ChatRequest) -> float:
        """See `Transport`."""
        return highest_cost(request.body, self._prices, token_counter())

    def ask(self, requests: Iterable[ChatRequest], take: Take) -> None:
        """See `Transport`.

        Ctrl-C lets what is under way come in for up to 30 s; a second one does not wait.
        """
        asyncio.run(self._ask(requests, take))

    async def _ask(self, requests: Iterable[ChatRequest], take: Take) -> None:
        async with AsyncOpenAI(
            base_url=self._base_url, api_key=self._key or "none", max_retries=0, timeout=REQUEST_S
        ) as client:
            session = _Session(self._endpoint, client, iter(requests), take, self._most_faults)
            workers = [asyncio.create_task(session.work()) for _ in range(self._parallel)]
            looking = asyncio.create_task(session.look(self._check))
            try:
                await asyncio.gather(*map(asyncio.shield, workers))
            except asyncio.CancelledError:
                session.stop()
                _, slow = await asyncio.wait(workers, timeout=QUICK_S)
                for worker in slow:
                    worker.cancel()
                raise
            finally:
                looking.cancel()
            session.finish()


class _Endpoint:
    """What one endpoint takes, and what its answers and errors mean."""

    def __init__(
        self,
        model: str,
        base_url: str | None,
        key: str | None,
        prices: Prices,
        retries: tuple[int, float],
    ) -> None:
        self._model, self._base_url = model, base_url
        self.clean = Cleaner(base_url, key)
        self._prices, (self._retries, self._wait_s) = prices, retries
        self._form = Form()

    def body(self, request: ChatRequest) -> tuple[Form, dict[str, Any]]:
        """The form of requests that this endpoint takes, as far as known, and a request in it."""
        return self._form, self._form.of(request)

    def adapt(self, sent: Form, error: openai.APIStatusError) -> bool:
        """Whether a refused request is worth sending again in another form."""
        if sent == self._form:
            self._form = sent.without_what(str(error.body or error.message))
        return sent != self._form

    def reply(self, request: ChatRequest, said: object, body: Mapping[str, Any]) -> Reply | None:
        """What the endpoint answered; None if that is no chat completion."""
        if not isinstance(said, dict) or not _has_message(said.get("choices")):
            return None
        if not said.get("usage"):
            text = read_completion(said, request.request_id, self._prices).text
            count = token_counter()
            usage = {"prompt_tokens": count.request(body), "completion_tokens": count.count(text)}
            said = {**said, "usage": usage}
        return read_completion(said, request.request_id, self._prices)

    def pause_s(self, attempt: int, error: openai.APIError) -> float | None:
        """How long to wait before a request is repeated, seconds; None if it is in vain."""
        slow = isinstance(error, openai.APITimeoutError)
        most = min(SLOW_RETRIES, self._retries) if slow else self._retries
        if attempt >= most or not may_pass(error):
            return None
        pause = _asked_pause_s(error)
        if pause is None:
            pause = self._wait_s * 2**attempt
        return max(0.0, pause) if pause <= LONGEST_WAIT_S else None

    def fault(self, error: openai.APIError) -> EndpointError | None:
        """What an error means for all requests; None if it concerns only the one."""
        text = told(error, self.clean)
        what = meaning(error, text, REQUEST_S)
        if what is None and isinstance(error, openai.NotFoundError):
            what = f"{status(error)}it knows no model {self._model} at this address ({text}); "
            what += "check both"
        return EndpointError(f"{self._here()}: {what}; {KEPT}") if what else None

    def told(self, error: openai.APIError) -> str:
        """What it said, for messages about one request."""
        return f"{status(error)}{told(error, self.clean)}"

    def no_completions(self) -> EndpointError:
        """For an endpoint of another kind."""
        return EndpointError(
            f"{self._here()}: answers, but not with chat completions; check the address"
        )

    def fails(self, count: int, told: str) -> EndpointError:
        """For an endpoint that answers nothing any more."""
        return EndpointError(
            f"{self._here()}: failed {count} requests in a row, the last one so: {told}; {KEPT}"
        )

    def _here(self) -> str:
        """The endpoint without passwords that an address may hold."""
        return (
            f"{shown_endpoint(self._base_url).rstrip('/')}/" if self._base_url else "the endpoint"
        )


def _asked_pause_s(error: openai.APIError) -> float | None:
    """How long the server wants to be left alone, seconds; None if it does not say."""
    headers = error.response.headers if isinstance(error, openai.APIStatusError) else {}
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return float(headers.get(name, "")) * unit_s
        except ValueError:  # none, or a date
            continue
    return None


def _has_message(choices: object) -> bool:
    """Whether there is an answer in a completion, whatever it says."""
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and isinstance(first.get("message"), dict)


class _Session:
    """Requests on their way; ends early when the endpoint or the taker does not go on."""

    def __init__(
        self,
        endpoint: _Endpoint,
        client: AsyncOpenAI,
        requests: Iterator[ChatRequest],
        take: Take,
        most_faults: int | None,
    ) -> None:
        self._endpoint, self._client = endpoint, client
        self._requests, self._take = requests, take
        self._most_faults = most_faults
        self._end: BaseException | None = None
        self._stopped = False
        self._faults: list[Reply] = []
        """Failed requests since the last answer; only later ones show whose fault it was."""

    async def work(self) -> None:
        """Ask one after the other."""
        while not self._over and (request := self._next()):
            await self._one(request)

    async def look(self, check: Callable[[], None]) -> None:
        """Look whether to stop, until it is so."""
        while not self._over:
            try:
                check()
            except BaseException as error:  # noqa: BLE001 - raised when what is under way has come
                self._end_with(error)
            await asyncio.sleep(LOOK_S)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped = True

    def finish(self) -> None:
        """Take what is left, or raise what ended it early."""
        if self._end:
            raise self._end
        for reply in self._faults:
            self._take(reply)

    @property
    def _over(self) -> bool:
        return self._stopped or self._end is not None

    def _next(self) -> ChatRequest | None:
        try:
            return next(self._requests, None)
        except BaseException as error:  # noqa: BLE001 - raised when what is under way has come
            self._end_with(error)
            return None

    async def _one(self, request: ChatRequest) -> None:
        attempt = 0
        while True:
            form, body = self._endpoint.body(request)
            try:
                raw = await self._client.chat.completions.with_raw_response.create(**body)
                reply = self._endpoint.reply(request, json.loads(raw.text), body)
            except openai.APIError as error:
                if isinstance(error, openai.APIStatusError) and self._endpoint.adapt(form, error):
                    continue
                pause = self._endpoint.pause_s(attempt, error)
                if pause is None:
                    return self._give_up(request, error)
                await asyncio.sleep(pause)
                attempt += 1
                if self._over:
                    return None
                continue
            except ValueError:
                reply = None
            if reply is None:
                return self._end_with(self._endpoint.no_completions())
            return self._answered(reply)

    def _give_up(self, request: ChatRequest, error: openai.APIError) -> None:
        if fault := self._endpoint.fault(error):
            return self._end_with(fault)
        told = self._endpoint.told(error)
        text = f"the endpoint refused or failed it: {told}"
        reply = Reply(request.request_id, error=text, fault=error.code != "content_filter")
        if not reply.fault or self._most_faults is None:
            return self._answered(reply)
        self._faults.append(reply)
        if len(self._faults) >= self._most_faults:
            self._end_with(self._endpoint.fails(len(self._faults), told))
        return None

    def _answered(self, reply: Reply) -> None:
        told = replace(reply, error=self._endpoint.clean(reply.error))
        replies, self._faults = [*self._faults, told], []
        for each in replies:
            try:
                self._take(each)
            except BaseException as error:  # noqa: BLE001 - raised when what is under way has come
                self._end_with(error)

    def _end_with(self, error: BaseException) -> None:
        self._end = self._end or error
