"""`nomaly annotate llm`: what was asked for becomes a run, and the run a result."""

from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import StoppedError
from app.names.annotation.llm import Check, LlmResult, LlmRun
from app.names.annotation.opinions import Opinions, Rule
from app.names.annotation.work import annotations_so_far, find_items, tell_missing
from app.progress import Reporter
from app.stop import stoppable
from scenarios.llm.opening import open_direct
from scenarios.llm.transport import Transport
from training.evaluation.annotations import LLM_FILE, read_predicted_nouns, unjudged_nouns


@dataclass(frozen=True, slots=True)
class LlmRequest:
    """What is to be judged, by whom, and how thoroughly."""

    images: Path
    predictions: tuple[Path, ...]
    model: str
    base_url: str | None
    annotations: Path | None
    """None: the usual file in the folder of the images."""
    top: int | None
    """Nouns of each prediction; None: all."""
    rule: Rule
    limit: int | None
    """Images; None: all."""
    parallel: int
    retries: int


def plan_run(request: LlmRequest, reporter: Reporter) -> tuple[LlmRun, list[str]]:
    """The run that a request means, and the predicted images that the folder lacks.

    Raises:
        app.errors.UsageError: If folder or file names make no sense.
        training.evaluation.annotations.AnnotationError: If a file that is there cannot be read.
    """
    path = request.annotations or request.images / LLM_FILE
    judged = annotations_so_far(path)
    predicted = read_predicted_nouns(request.predictions, request.top)
    found, missing = find_items(request.images, predicted)
    tell_missing(missing, request.images, reporter)
    left = unjudged_nouns({item.name: item.nouns for item in found}, judged)
    items = [replace(item, nouns=tuple(left[item.name])) for item in found if item.name in left]
    opinions = Opinions.load(path.with_name(f"{path.stem}.opinions.jsonl"), request.model)
    return LlmRun(items[: request.limit], judged, path, opinions, request.rule), missing


def ask_all(request: LlmRequest, run: LlmRun, reporter: Reporter) -> LlmResult:
    """Run until all is judged, the endpoint fails, or Ctrl-C.

    Raises:
        StoppedError: On a second Ctrl-C, which does not wait for answers under way.
        UsageError: If the key or a library is missing.
        AnnotationError: If results cannot be written.
    """

    def open_transport(check: Check) -> Transport:
        # Each failure is the run's to judge: it may be the image's.
        return open_direct(
            request.model,
            request.base_url,
            parallel=request.parallel,
            retries=request.retries,
            most_faults=None,
            check=check,
        )

    try:
        with stoppable() as stop:
            return run.run(open_transport, reporter, stop.check)
    except KeyboardInterrupt as stopped:
        raise StoppedError(
            f"stopped; opinions that had come are kept in {run.opinions.path}"
        ) from stopped
