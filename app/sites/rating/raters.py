"""The back ends as one kind of thing: asked about nouns, they leave answers in the store."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from app.errors import UsageError
from app.progress import Meter, Reporter
from app.sites.rating.order import RateOrder
from scenarios.llm.opening import open_batches, open_direct
from scenarios.llm.transport import Transport
from scenarios.paths import llm_folder
from scenarios.raters.digits.checks import check_run
from scenarios.raters.digits.prompts import digit_question
from scenarios.raters.digits.rounds import Progress, digit_scores, rate_by_digits
from scenarios.ratings.records import Line, Place, Question, RawScores
from scenarios.ratings.store import RatingStore


class Rater(Protocol):
    """A language model that rates nouns for one place."""

    @property
    def question(self) -> Question:
        """Under which the store keeps its answers."""
        ...

    def rate(self, lines: Sequence[Line], meter: Meter, stopping: Callable[[], None]) -> None:
        """Ask about nouns that have no answer yet; what was answered before is in the store.

        Args:
            lines: All nouns of a stage, those with an answer too.
            meter: Told how far it is.
            stopping: Called now and then; raises KeyboardInterrupt if the user wants to stop.
        """
        ...

    def scores(self, nouns: Sequence[str]) -> RawScores:
        """What the store holds of it about nouns and the examples."""
        ...

    def faults(self, scores: RawScores, unrated: float) -> list[str]:
        """Why its answers cannot be trusted, a sentence each; empty if they can.

        Args:
            scores: All of them.
            unrated: Share of the nouns asked about in vain.
        """
        ...


class DigitRater:
    """A model behind an endpoint, asked directly or in batches."""

    def __init__(
        self,
        order: RateOrder,
        place: Place,
        store: RatingStore,
        transport: Transport,
        prior: Mapping[str, float],
    ) -> None:
        self.question = digit_question(order.model, place)
        self._order, self._place, self._store = order, place, store
        self._transport, self._prior = transport, prior

    def rate(self, lines: Sequence[Line], meter: Meter, stopping: Callable[[], None]) -> None:
        """See `Rater`."""

        def report(progress: Progress) -> None:
            note = f"round {progress.round}, {progress.cost_usd:.4f} USD"
            if progress.rejected:
                note += f", {progress.rejected} answers of no use"
            meter.count(progress.answered, progress.planned, note)
            stopping()

        rate_by_digits(
            self._store,
            self.question,
            self._place,
            lines,
            self._transport,
            seed=self._order.seed,
            prior=self._prior,
            max_cost_usd=self._order.max_cost,
            report=report,
        )

    def scores(self, nouns: Sequence[str]) -> RawScores:
        """See `Rater`."""
        return digit_scores(self._store, self.question, nouns)

    def faults(self, scores: RawScores, unrated: float) -> list[str]:
        """See `Rater`."""
        return check_run(scores, unrated)


class LocalRater:
    """A GGUF model in this process."""

    def __init__(
        self, order: RateOrder, place: Place, store: RatingStore, reporter: Reporter
    ) -> None:
        from scenarios.raters.local.rater import LocalRater as Model  # noqa: PLC0415 - optional library

        self._store = store
        threads = order.threads or os.cpu_count() or 1
        self._model = Model(model_file(order), place, threads=threads, warn=reporter.say)
        with reporter.task("choosing a wording"):
            choice = self._model.choose(store)
        found = ", ".join(f"{name} {auc:.3f}" for name, auc in choice.aucs.items())
        reporter.say(f"AUC on the examples by wording: {found}; taken: {choice.wording.name}")

    @property
    def question(self) -> Question:
        """See `Rater`."""
        return self._model.question

    def rate(self, lines: Sequence[Line], meter: Meter, stopping: Callable[[], None]) -> None:
        """See `Rater`."""

        def report(done: int, total: int) -> None:
            meter.count(done, total, f"{done:,} of {total:,} nouns")
            stopping()

        self._model.rate(self._store, lines, report)

    def scores(self, nouns: Sequence[str]) -> RawScores:
        """See `Rater`."""
        return self._model.scores(self._store, nouns)

    def faults(self, scores: RawScores, unrated: float) -> list[str]:
        """None: it refuses wordings that do not work before it is asked anything."""
        del scores, unrated
        return []


def open_transport(order: RateOrder, work: Path) -> Transport:
    """What carries requests to the endpoint.

    Args:
        order: Names it.
        work: The scenario's work folder, for what is under way in batches.

    Raises:
        UsageError: If the key or a library is missing.
    """
    try:
        if order.backend == "batch":
            return open_batches(
                work / "batches",
                order.model,
                order.base_url,
                order.asked_prices,
                "rate with --backend direct",
            )
        return open_direct(
            order.model, order.base_url, parallel=order.parallel, prices=order.asked_prices
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
