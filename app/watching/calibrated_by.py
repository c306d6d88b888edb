"""With which calibration a run is made: kept with it, so that another one is noticed later."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Self

from app.errors import StoreError
from app.events.reading import Run
from app.events.store import Store
from app.paths import shown_path
from app.watching.holding import Holding
from app.watching.request import RunRequest
from calibration.site.files import calibration_sha256
from novic.model import NounModel

_FACT = "calibrated_by"


@dataclass(frozen=True, slots=True)
class CalibratedBy:
    """The calibration that lay beside the detector."""

    sha256: str
    """Of its file; empty where there was none."""
    used: bool
    """Whether the run went on with it."""

    @classmethod
    def of(cls, run: Run) -> Self | None:
        """What is kept with a run; None where an older Nomaly made it."""
        kept = run.facts.get(_FACT)
        return None if kept is None else cls(kept["sha256"], kept["used"])

    def as_facts(self) -> dict[str, Any]:
        """As it is kept."""
        return {_FACT: asdict(self)}

    def news(self, now: Self) -> str:
        """What a run that goes on says of another calibration, one sentence; empty of the same."""
        if self.sha256 == now.sha256 or not (self.used or now.used):
            return ""
        before = "another calibration" if self.used else "no calibration"
        if now.used:
            return f"Until now this was made with {before}; it goes on with the one of now."
        # Of one that cannot be used this is said already.
        return "" if now.sha256 else "The calibration is gone. It goes on uncalibrated."


def held(
    request: RunRequest, names: NounModel, store: Store, run_id: int, say: Callable[[str], None]
) -> Holding | None:
    """The calibration of a run; what must be known of it is said, and kept for report and JSON.

    Args:
        request: What is run.
        names: What names things.
        store: Of the run.
        run_id: The run.
        say: Told in sentences.

    Returns:
        None if there is none that can be used.
    """
    heard: list[str] = []

    def also(text: str) -> None:
        heard.append(text)
        say(text)

    sha256 = calibration_sha256(request.detector_folder)
    holding = request.holding(names, also)
    now, before = CalibratedBy(sha256, holding is not None), CalibratedBy.of(store.run(run_id))
    if before is not None and (news := before.news(now)):
        also(news)
    try:
        known = {note.text for note in store.notes(run_id)}
        for text in heard:
            if text not in known:
                store.add_note(run_id, text)
        store.keep_facts(run_id, now.as_facts())
    except StoreError as error:
        # The camera is worth more than what is known of its numbers.
        say(str(error))
    return holding


def outdated(run: Run, request: RunRequest) -> list[str]:
    """Whether finished results were made with another calibration than lies there now.

    Args:
        run: Finished.
        request: That asked for the same again.

    Returns:
        A sentence with what to do, or nothing.
    """
    folder, before = request.detector_folder, CalibratedBy.of(run)
    now = calibration_sha256(folder)
    if before is None or before.sha256 == now or not (before.used or now):
        return []
    if not now:
        differs = f"with a calibration that no longer lies in {shown_path(folder)}"
    else:
        made = "with another calibration" if before.used else "without a calibration"
        differs = f"{made}; the one of now lies in {shown_path(folder)}"
    # What a run learned itself goes with its results, and the calibration beside it, too.
    again = (
        "use --overwrite to look again"
        if request.detector is not None
        else f"to look again, use --detector {shown_path(folder)} and another --out"
    )
    return [f"These results were made {differs}: {again}."]
