"""Asks any server that speaks OpenAI's chat protocol for captions, many requests at once."""

import asyncio
from collections.abc import Callable, Sequence

import openai
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion

from scenarios.dictionary import Number
from training.captioning.rules import Answer, AnswerLog, NounInProgress, request
from training.texts.captions import CaptionError

RETRIES = 6
"""Of a request that found the server busy or absent: after 0.5 s, then doubling up to 8 s, or after
as long as the server says."""

REQUEST_S = 120.0
"""Longest wait for an answer."""


def write_directly(
    nouns: Sequence[NounInProgress],
    client: AsyncOpenAI,
    model: str,
    log: AnswerLog,
    parallel: int,
    report: Callable[[int], None] = lambda _: None,
) -> None:
    """Ask until every noun has its captions or is given up.

    Args:
        nouns: Brought to where they were; filled in place.
        client: Where to ask.
        model: Whom.
        log: Gets every answer before it is used.
        parallel: Requests under way at once.
        report: Called with the number of new captions of every answer.

    Raises:
        CaptionError: If the server cannot be reached, refuses, or does not speak the protocol; what
            was answered before is in the log.
        KeyboardInterrupt: On Ctrl-C, the same.
    """
    asyncio.run(_write(nouns, client, model, log, parallel, report))


def open_client(base_url: str | None, key: str | None) -> AsyncOpenAI:
    """A client of a server.

    Args:
        base_url: Address up to and with /v1; OpenAI's by default.
        key: Its key; local servers need none.
    """
    return AsyncOpenAI(
        base_url=base_url, api_key=key or "none", max_retries=RETRIES, timeout=REQUEST_S
    )


async def _write(
    nouns: Sequence[NounInProgress],
    client: AsyncOpenAI,
    model: str,
    log: AnswerLog,
    parallel: int,
    report: Callable[[int], None],
) -> None:
    waiting = iter(nouns)
    failures: list[CaptionError] = []

    async def work() -> None:
        for noun in waiting:
            # After a failure nothing new is asked, but answers under way are paid for and kept.
            while not failures and (number := noun.next_number):
                try:
                    answer = await _ask(client, model, noun, number)
                    log.append(answer)
                except CaptionError as failure:
                    failures.append(failure)
                    return
                report(noun.add(number, answer.text))

    async with client, asyncio.TaskGroup() as workers:
        for _ in range(parallel):
            workers.create_task(work())
    if failures:
        raise failures[0]


async def _ask(client: AsyncOpenAI, model: str, noun: NounInProgress, number: Number) -> Answer:
    """One request.

    Raises:
        CaptionError: If nothing usable as an answer came.
    """
    target = noun.entry.target_noun
    try:
        completion = await client.chat.completions.create(**request(model, noun.entry, number))
    except openai.BadRequestError as error:
        if error.code != "content_filter":
            raise CaptionError(_refused(client, error)) from error
        return Answer(target, number, "", model)
    except openai.APIStatusError as error:
        raise CaptionError(_refused(client, error)) from error
    except openai.APIConnectionError as error:
        raise CaptionError(
            f"{client.base_url} does not answer; start the server, or check --base-url; "
            "the answers so far are kept, the same command goes on from here"
        ) from error
    except (openai.APIError, ValueError) as error:
        raise CaptionError(_no_completion(client)) from error
    if not isinstance(completion, ChatCompletion) or not completion.choices:
        raise CaptionError(_no_completion(client))
    usage = completion.usage
    return Answer(
        target,
        number,
        completion.choices[0].message.content or "",
        model,
        usage.prompt_tokens if usage else 0,
        usage.completion_tokens if usage else 0,
    )


def _refused(client: AsyncOpenAI, error: openai.APIStatusError) -> str:
    told = error.body.get("message") if isinstance(error.body, dict) else None
    return (
        f"{client.base_url} answered {error.status_code}: {_short(told or error.message)}; "
        "the answers so far are kept, the same command goes on from here"
    )


def _no_completion(client: AsyncOpenAI) -> str:
    return f"{client.base_url} answers, but not with chat completions; check --base-url"


def _short(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= 300 else f"{line[:300]}…"
