"""Asks any server that speaks OpenAI's chat protocol, many requests at once."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import openai
from openai import AsyncOpenAI

from scenarios.llm.batch_lines import read_completion
from scenarios.llm.costs import DIRECT_PRICES, Prices, highest_cost, token_counter
from scenarios.llm.transport import JSON_PLEASE, EndpointError, RatingRequest, Reply
from scenarios.ratings.records import Backend

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
SAID = 300
"""Letters of a server's error text that are passed on."""
KEPT = "the answers so far are kept, the same command goes on from here"

type Take = Callable[[Reply], None]


class DirectTransport:
    """Rates through chat completions. Implements `Transport`.

    Args:
        model: Its name at the endpoint, for messages.
        base_url: Address up to and with /v1; OpenAI's by default.
        key: Its key; servers of one's own may need none. It is shown nowhere.
        parallel: Requests under way at once.
        prices: For what the endpoint says it read and wrote, or for what is counted here if it says
            nothing.
        wait_s: First wait before a request is repeated, seconds.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None,
        key: str | None,
        parallel: int = 8,
        prices: Prices = DIRECT_PRICES,
        *,
        wait_s: float = 0.5,
    ) -> None:
        self._base_url, self._key, self._parallel, self._prices = base_url, key, parallel, prices
        self._endpoint = _Endpoint(model, base_url, key, prices, wait_s)

    @property
    def backend(self) -> Backend:
        """See `Transport`."""
        return "direct"

    def highest_cost(self, request: RatingRequest) -> float:
        """See `Transport`."""
        return highest_cost(request.body, self._prices, token_counter())

    def ask(self, requests: Sequence[RatingRequest], take: Take) -> None:
        """See `Transport`.

        Ctrl-C lets what is under way come in for up to 30 s; a second one does not wait.
        """
        asyncio.run(self._ask(requests, take))

    async def _ask(self, requests: Sequence[RatingRequest], take: Take) -> None:
        async with AsyncOpenAI(
            base_url=self._base_url, api_key=self._key or "none", max_retries=0, timeout=REQUEST_S
        ) as client:
            session = _Session(self._endpoint, client, iter(requests), take)
            count = min(self._parallel, len(requests))
            workers = [asyncio.create_task(session.work()) for _ in range(count)]
            try:
                await asyncio.gather(*map(asyncio.shield, workers))
            except asyncio.CancelledError:
                session.stop()
                _, slow = await asyncio.wait(workers, timeout=QUICK_S)
                for worker in slow:
                    worker.cancel()
                raise
            session.finish()


@dataclass(frozen=True, slots=True)
class _Form:
    """How requests are put to an endpoint that does not take all that OpenAI's takes."""

    format: int = 0
    """0: answers after a schema; 1: as a JSON object; 2: as the model likes."""
    dropped: frozenset[str] = frozenset()
    completion_tokens: bool = False
    """Whether the limit of the answer goes by its newer name."""

    def of(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A request in this form."""
        changed = {name: value for name, value in body.items() if name not in self.dropped}
        if self.completion_tokens and "max_tokens" in changed:
            changed["max_completion_tokens"] = changed.pop("max_tokens")
        if self.format == 0:
            return changed
        names = body["response_format"]["json_schema"]["schema"]["required"]
        please = JSON_PLEASE.format(first=names[0], last=names[-1])
        system, *others = body["messages"]
        told = {**system, "content": f"{system['content']}\n\n{please}"}
        changed["messages"] = [told, *others]
        changed["response_format"] = {"type": "json_object"}
        if self.format > 1:
            del changed["response_format"]
        return changed

    def without_what(self, refusal: str) -> "_Form":
        """The form without what an endpoint says it does not take; the same if that is unclear."""
        said = refusal.lower()
        if "max_completion_tokens" in said and "max_tokens" in said and not self.completion_tokens:
            return _Form(self.format, self.dropped, completion_tokens=True)
        formats = ("response_format", "json_schema", "json_object", "structured output")
        if self.format < 2 and any(name in said for name in formats):
            return _Form(self.format + 1, self.dropped, self.completion_tokens)
        for name in {"temperature", "reasoning_effort"} - self.dropped:
            if name in said:
                return _Form(self.format, self.dropped | {name}, self.completion_tokens)
        return self


class _Endpoint:
    """What one endpoint takes, and what its answers and errors mean."""

    def __init__(
        self, model: str, base_url: str | None, key: str | None, prices: Prices, wait_s: float
    ) -> None:
        self._model, self._base_url, self._key = model, base_url, key
        self._prices, self._wait_s = prices, wait_s
        self._form = _Form()

    def body(self, request: RatingRequest) -> tuple[_Form, dict[str, Any]]:
        """The form of requests that this endpoint takes, as far as known, and a request in it."""
        return self._form, self._form.of(request.body)

    def adapt(self, sent: _Form, error: openai.APIStatusError) -> bool:
        """Whether a refused request is worth sending again in another form."""
        if sent == self._form:
            self._form = sent.without_what(str(error.body or error.message))
        return sent != self._form

    def reply(self, request: RatingRequest, said: object, body: Mapping[str, Any]) -> Reply | None:
        """What the endpoint answered; None if that is no chat completion."""
        if not isinstance(said, dict) or not isinstance(said.get("choices"), list):
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
        if attempt >= (SLOW_RETRIES if slow else RETRIES):
            return None
        if isinstance(error, openai.APIConnectionError):
            return self._wait_s * 2**attempt
        if not isinstance(error, openai.RateLimitError | openai.InternalServerError):
            return None
        if error.code == "insufficient_quota":
            return None
        asked = error.response.headers.get("Retry-After", "")
        try:
            pause = float(asked)
        except ValueError:  # none, or a date
            pause = self._wait_s * 2**attempt
        return max(0.0, pause) if pause <= LONGEST_WAIT_S else None

    def fault(self, error: openai.APIError) -> EndpointError | None:
        """What an error means for all requests; None if it concerns only the one."""
        here, told = self._here(), self.clean(error)
        if isinstance(error, openai.APITimeoutError):
            what = (
                f"takes longer than {REQUEST_S:g} s to answer a request; ask fewer at once, as a "
                "small machine answers one after the other, or use a faster server"
            )
        elif isinstance(error, openai.APIConnectionError):
            what = f"does not answer ({told}); start the server, or check address and connection"
        elif isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            what = f"refuses the key ({told}); check the key and what it may use"
        elif isinstance(error, openai.NotFoundError):
            what = f"knows no model {self._model} at this address ({told}); check both"
        elif error.code == "insufficient_quota":
            what = f"has no money left in the account ({told}); top it up"
        elif isinstance(error, openai.RateLimitError):
            what = f"is too busy ({told}); try again later, or ask fewer at once"
        else:
            return None
        return EndpointError(f"{here} {what}; {KEPT}")

    def no_completions(self) -> EndpointError:
        """For an endpoint of another kind."""
        return EndpointError(
            f"{self._here()} answers, but not with chat completions; check the address"
        )

    def fails(self, count: int, told: str) -> EndpointError:
        """For an endpoint that answers nothing any more."""
        return EndpointError(
            f"{self._here()} failed {count} requests in a row, the last one so: {told}; {KEPT}"
        )

    def clean(self, error: openai.APIError) -> str:
        """A foreign text without the key, short, on one line."""
        body = error.body if isinstance(error.body, dict) else {}
        cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else None
        text = str(body.get("message") or cause or error.message)
        text = text.replace(self._key, "***") if self._key else text
        line = " ".join(text.split())
        return line if len(line) <= SAID else f"{line[:SAID]}…"

    def _here(self) -> str:
        """The endpoint without passwords that an address may hold."""
        if not self._base_url:
            return "the endpoint"
        parts = urlsplit(self._base_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _Session:
    """Requests on their way; ends early when the endpoint or the taker does not go on."""

    def __init__(
        self,
        endpoint: _Endpoint,
        client: AsyncOpenAI,
        requests: Iterator[RatingRequest],
        take: Take,
    ) -> None:
        self._endpoint, self._client = endpoint, client
        self._requests, self._take = requests, take
        self._end: BaseException | None = None
        self._stopped = False
        self._faults: list[Reply] = []
        """Failed requests since the last answer; only later ones show whose fault it was."""

    async def work(self) -> None:
        """Ask one after the other."""
        while not self._over and (request := next(self._requests, None)):
            await self._one(request)

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

    async def _one(self, request: RatingRequest) -> None:
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

    def _give_up(self, request: RatingRequest, error: openai.APIError) -> None:
        if fault := self._endpoint.fault(error):
            return self._end_with(fault)
        told = self._endpoint.clean(error)
        reply = Reply(request.request_id, error=f"the endpoint refused or failed it: {told}")
        if error.code == "content_filter":
            return self._answered(reply)
        self._faults.append(reply)
        if len(self._faults) >= MOST_FAULTS:
            self._end_with(self._endpoint.fails(len(self._faults), told))
        return None

    def _answered(self, reply: Reply) -> None:
        replies, self._faults = [*self._faults, reply], []
        for each in replies:
            try:
                self._take(each)
            except BaseException as error:  # noqa: BLE001 - raised when what is under way has come
                self._end_with(error)

    def _end_with(self, error: BaseException) -> None:
        self._end = self._end or error
