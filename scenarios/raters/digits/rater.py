"""A model behind an endpoint that rates nouns by digits, many in one request."""

from collections.abc import Mapping, Sequence

from scenarios.llm.transport import Transport
from scenarios.raters.digits.checks import check_run
from scenarios.raters.digits.prompts import digit_question
from scenarios.raters.digits.rounds import Progress, digit_scores, rate_by_digits
from scenarios.raters.rater import Report, unheard
from scenarios.ratings.records import Line, Place, RawScores
from scenarios.ratings.store import RatingStore


class DigitRater:
    """See `Rater`; asked directly or in batches."""

    def __init__(
        self,
        model: str,
        place: Place,
        store: RatingStore,
        transport: Transport,
        *,
        seed: int = 0,
        prior: Mapping[str, float] | None = None,
        max_cost_usd: float | None = None,
    ) -> None:
        """Take what `rate_by_digits` needs.

        Args:
            model: Its name at the endpoint.
            place: What the model is told of the site.
            store: Where answers are kept.
            transport: How to reach the model.
            seed: Of all that is drawn.
            prior: Log-odds of the offline prior by noun.
            max_cost_usd: Most that the question may cost, all its runs together.
        """
        self.question = digit_question(model, place)
        self._place, self._store, self._transport = place, store, transport
        self._seed, self._prior, self._max_cost_usd = seed, prior, max_cost_usd

    def rate(self, lines: Sequence[Line], report: Report = unheard) -> None:
        """See `Rater`."""

        def told(progress: Progress) -> None:
            note = f"round {progress.round}, {progress.cost_usd:.4f} USD"
            if progress.rejected:
                note += f", {progress.rejected} answers of no use"
            report(progress.answered, progress.planned, note)

        rate_by_digits(
            self._store,
            self.question,
            self._place,
            lines,
            self._transport,
            seed=self._seed,
            prior=self._prior,
            max_cost_usd=self._max_cost_usd,
            report=told,
        )

    def scores(self, nouns: Sequence[str]) -> RawScores:
        """See `Rater`."""
        return digit_scores(self._store, self.question, nouns)

    def faults(self, scores: RawScores, unrated: float) -> list[str]:
        """See `Rater`."""
        return check_run(scores, unrated)
