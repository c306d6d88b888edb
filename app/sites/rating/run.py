"""Has a site rated: asks in stages, calibrates, checks, estimates the rest, writes the result."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from app.errors import StoppedError
from app.progress import Reporter
from app.sites.rating.order import Rated, RateOrder
from app.sites.rating.raters import open_rater
from app.sites.rating.work import Work, begin, check_examples_named, open_work
from app.sites.rating.writing import Judged, now_us, write_result
from app.stop import Stop, stoppable
from scenarios.lock import running
from scenarios.paths import rating_store_path
from scenarios.raters.rater import Rater
from scenarios.raters.vectors.nouns import NounVectors
from scenarios.raters.vectors.prior import PriorRating, rate_by_prior
from scenarios.raters.vectors.ranks import ranked
from scenarios.raters.vectors.student import LEAST_RATED, StageRule, estimates, next_step
from scenarios.ratings.records import RatingError, Spent
from scenarios.ratings.scale import Calibration, calibrate, fuse
from scenarios.ratings.store import Asked, RatingStore
from scenarios.site import find_scenario

FEW = 3000
"""Dictionaries up to this size are asked about whole: staging saves little."""
BATCH_BLOCK = 10_000
"""Nouns of a stage where a round takes up to a day, however large it is."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What the offline prior says beside a language model."""

    logits: Mapping[str, float]
    log_loss: float
    """On the examples, each left out; says how much it counts."""


def rate_site(order: RateOrder, reporter: Reporter) -> Rated:
    """Rate a site's nouns and write its dictionary, going on where an earlier call was ended.

    Raises:
        UsageError: If the order cannot be carried out; tells what to change.
        StoppedError: On Ctrl-C; all answers are kept.
        RatingError: If the rater is of no use here, an endpoint does not answer, or money has run
            out; all answers are kept and nothing is written.
        ScenarioError, DictionaryError, StoreError: If files cannot be read or written.
    """
    scenario = find_scenario(order.name, order.root, reporter.say)
    check_examples_named(scenario)
    with running(scenario.folder), stoppable(reporter.say) as stop:
        try:
            work = open_work(order, scenario, reporter)
            judged = _judge(work, stop)
        except KeyboardInterrupt as stopped:
            raise StoppedError(
                "stopped; all answers are kept, the same command goes on from here"
            ) from stopped
        return write_result(work, judged)


def _judge(work: Work, stop: Stop) -> Judged:
    vectors = work.vectors(stop)
    if work.order.backend == "prior":
        return _by_prior(work, rate_by_prior(work.place, vectors, work.embed))
    prior = _prior(work, vectors)
    with (
        RatingStore(rating_store_path()) as store,
        open_rater(work, store, prior.logits, stop) as rater,
    ):
        note = begin(work, asdict(rater.question))
        judged = _by_model(work, rater, store, vectors, prior, stop)
    note.unlink()
    return judged


def _by_prior(work: Work, rated: PriorRating) -> Judged:
    calibration = calibrate(rated.scores)
    _check_gate(work, calibration, [])
    logits = calibration.logits(rated.scores.nouns)
    asked = Asked(rated.question, {"prior": 1}, Spent(), now_us(), now_us())
    return Judged(asked, calibration, prior=ranked(logits, work.base))


def _by_model(
    work: Work,
    rater: Rater,
    store: RatingStore,
    vectors: NounVectors,
    prior: Prior,
    stop: Stop,
) -> Judged:
    asked = _ask(work, rater, vectors, stop)
    scores = rater.scores(work.base.targets)
    calibration = calibrate(scores)
    logits = calibration.logits({**scores.nouns, **scores.seen, **scores.never})
    fused = fuse(
        [logits, {noun: prior.logits[noun] for noun in logits.keys() & prior.logits.keys()}],
        [calibration.log_loss, prior.log_loss],
    )
    unrated = frozenset(asked - logits.keys())
    _check_gate(work, calibration, rater.faults(scores, len(unrated) / len(asked)))
    estimated = estimates(vectors, logits) if len(logits) >= LEAST_RATED else {}
    return Judged(
        next(one for one in store.questions() if one.question == rater.question),
        calibration,
        rated=fused,
        opinions=scores.opinions,
        unrated=unrated,
        estimated={noun: value for noun, value in estimated.items() if noun not in unrated},
        prior=ranked(prior.logits, work.base),
    )


def _ask(work: Work, rater: Rater, vectors: NounVectors, stop: Stop) -> set[str]:
    """Ask stage by stage; the nouns asked about."""
    order = work.order
    if order.limit or order.everything or len(work.base.entries) <= FEW:
        nouns = work.asked()
        _ask_stage(work, rater, nouns, "asking about nouns", stop)
        return set(nouns)
    rule = StageRule(block=BATCH_BLOCK) if order.backend == "batch" else StageRule()
    asked: set[str] = set()
    while True:
        logits = _logits(rater, asked)
        step = next_step(work.base, vectors, logits, given_up=asked, seed=order.seed, rule=rule)
        if not step.nouns:
            return asked
        work.reporter.say(f"{step.left:,} nouns left; now {step.stage}")
        _ask_stage(work, rater, step.nouns, f"asking about {len(step.nouns):,} nouns", stop)
        asked |= set(step.nouns)


def _ask_stage(work: Work, rater: Rater, nouns: Sequence[str], label: str, stop: Stop) -> None:
    with work.reporter.task(label, len(nouns)) as meter:

        def report(done: int, total: int, note: str) -> None:
            meter.count(done, total, note)
            stop.check()

        rater.rate(work.lines(nouns), report)


def _logits(rater: Rater, asked: set[str]) -> dict[str, float]:
    """Log-odds of the nouns asked about so far in this run."""
    if not asked:
        return {}
    scores = rater.scores(sorted(asked))
    return calibrate(scores).logits(scores.nouns)


def _prior(work: Work, vectors: NounVectors) -> Prior:
    """What the prior says; nothing if it is of no use here."""
    try:
        scores = rate_by_prior(work.place, vectors, work.embed).scores
        calibration = calibrate(scores)
    except RatingError as error:
        work.reporter.say(f"the offline prior is left out: {error}")
        return Prior({}, math.inf)
    return Prior(calibration.logits(scores.nouns), calibration.log_loss)


def _check_gate(work: Work, calibration: Calibration, faults: Sequence[str]) -> None:
    """Refuse to write what the rater did not earn.

    Raises:
        RatingError: With all faults.
    """
    found = list(faults)
    if calibration.auc < work.order.gate:
        found.insert(
            0,
            f"only {calibration.auc:.1%} of the pairs of examples are in order, "
            f"{work.order.gate:.0%} are asked for",
        )
    if found:
        raise RatingError(
            f"{work.scenario.name}: nothing is written, as the ratings are no good: "
            f"{'; '.join(found)}. More or clearer examples, another model, or --least-auc change "
            "that; all answers are kept"
        )
