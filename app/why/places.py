"""Why something rang or did not, asked of one run or of all cameras of a site."""

from pathlib import Path

from app.errors import UsageError
from app.events.folders import watched_folders
from app.events.reading import in_place
from app.why.asking import why
from app.why.receipt import Receipt


def why_there(place: Path, asked: str) -> list[tuple[Path, Receipt]]:
    """Receipts of what is asked about, each with the folder that it is of.

    Args:
        place: As `app.events.folders.watched_folders` takes it.
        asked: As `app.why.asking.why` takes it; a time is asked of every camera.

    Raises:
        UsageError: If there is no such event, or the words are neither.
        app.errors.StoreError: If a store cannot be read.
    """
    folders = [one.folder for one in watched_folders(place)]
    for folder in folders:
        with in_place(folder) as store:
            known = store.event(asked) is not None
        if known or len(folders) == 1:
            return [(folder, receipt) for receipt in why(folder, asked)]
    told: list[tuple[Path, Receipt]] = []
    faults: list[UsageError] = []
    for folder in folders:
        try:
            told += [(folder, receipt) for receipt in why(folder, asked)]
        except UsageError as error:
            # A camera that was not watched yet says nothing about the others.
            faults.append(error)
    if not told:
        raise faults[0]
    # Where one camera saw something, the others' silence is no answer.
    return [one for one in told if one[1].outcome != "quiet"] or told
