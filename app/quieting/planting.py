"""Other things in the view of a camera, to measure a rule's leak by."""

from collections.abc import Sequence
from pathlib import Path

from app.errors import UsageError
from app.events.event import Event
from app.events.reading import snapshot
from app.feedback.saying import said_there
from app.quieting.suggestion import Planting
from app.watching.leak import view_of
from app.watching.pasting import Pasted, others_in
from novic.device import resolve_device
from novic.model import ModelOptions, load_model


def planting(folder: Path, model: Path | None) -> Planting:
    """What pastes the simulator's things into the view of a folder's camera.

    Args:
        folder: Of the audit or watch.
        model: Decoder that named the event; None for what Nomaly ships.
    """

    def plant(event: Event) -> Sequence[Pasted]:
        view = view_of(said_there(folder).path.parent)
        with snapshot(folder) as store:
            named = store.vector(event.id)
        names = load_model(model, resolve_device("auto"), ModelOptions(), many_images=True)
        if named is not None and names.bundle.embedder != named[0]:
            raise UsageError("the event was named by another model; name that with --model")
        return others_in(view, event.box.width / event.frame_size[1], names)

    return plant
