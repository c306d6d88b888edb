"""Opens the language model that an order names."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.errors import UsageError
from app.progress import Reporter
from app.sites.rating.order import RateOrder
from app.sites.rating.work import Work
from app.stop import Stop, announced
from scenarios.llm.opening import open_batches, open_direct
from scenarios.llm.transport import Transport
from scenarios.paths import llm_folder
from scenarios.raters.digits.rater import DigitRater
from scenarios.raters.local.rater import LocalRater
from scenarios.raters.rater import Rater
from scenarios.ratings.store import RatingStore


@contextmanager
def open_rater(
    work: Work, store: RatingStore, prior: Mapping[str, float], stop: Stop
) -> Iterator[Rater]:
    """The language model that an order names, ready to be asked.

    Args:
        work: The order and its site.
        store: Where answers are kept.
        prior: Log-odds of the offline prior by noun.
        stop: Whether the user asked to stop, looked at while a local model chooses its wording.

    Raises:
        UsageError: If a key, a library or a model file is missing.
        RatingError: If a local model cannot be loaded or does not understand the site.
    """
    order = work.order
    if order.backend == "local":
        threads = order.threads or os.cpu_count() or 1
        with LocalRater(model_file(order), work.place, store, threads=threads) as rater:
            _choose_wording(rater, work.reporter, stop)
            yield rater
        return
    yield DigitRater(
        order.model,
        work.place,
        store,
        open_transport(work, stop),
        seed=order.seed,
        prior=prior,
        max_cost_usd=order.max_cost,
    )


def _choose_wording(rater: LocalRater, reporter: Reporter, stop: Stop) -> None:
    with reporter.task("choosing a wording") as meter:

        def report(done: int, total: int, note: str) -> None:
            meter.count(done, total, note)
            stop.check()

        choice = rater.choose(report)
    found = ", ".join(f"{name} {auc:.3f}" for name, auc in choice.aucs.items())
    reporter.say(f"AUC on the examples by wording: {found}; taken: {choice.wording.name}")


def open_transport(work: Work, stop: Stop) -> Transport:
    """What carries requests to the endpoint.

    Args:
        work: The order and its site.
        stop: Whether the user asked to stop.

    Raises:
        UsageError: If the key or a library is missing.
    """
    order = work.order
    try:
        if order.backend == "batch":
            return open_batches(
                work.scenario.work_folder / "batches",
                order.model,
                order.base_url,
                order.asked_prices,
                instead="rate with --backend direct",
                check=stop.check,
            )
        return open_direct(
            order.model,
            order.base_url,
            parallel=order.parallel,
            prices=order.asked_prices,
            check=announced(stop.check, work.reporter.say),
        )
    except UsageError as error:
        raise UsageError(f"{error}; --backend local and prior need neither") from error


def model_file(order: RateOrder) -> Path:
    """The GGUF file of the local back end.

    Raises:
        UsageError: If there is none, or more than one to choose from.
    """
    if order.model_file is not None:
        if not order.model_file.is_file():
            raise UsageError(f"--model-file {order.model_file}: there is no such file")
        return order.model_file
    found = sorted(llm_folder().glob("*.gguf"))
    if not found:
        raise UsageError(
            "there is no local language model; get one with `nomaly scenario llm fetch` (1.1 GB) "
            "or name a GGUF file with --model-file"
        )
    if len(found) > 1:
        raise UsageError(
            f"{llm_folder()} holds {len(found)} models; choose one with --model-file, for example "
            f"{found[0]}"
        )
    return found[0]
