"""A watch whose settings have changed goes on, unless it would be of another view."""

from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.adopting import adopted_run
from app.events.store import Store

SETTINGS = {"source": "rtsp://10.0.0.5/s", "detector": None, "fps": 5.0, "tell": []}


def adopted(store: Store, **changed: object) -> int | None:
    run = adopted_run(store, {**SETTINGS, **changed}, {"bar": None})
    return None if run is None else run.id


def test_the_same_view_goes_on_with_a_note_of_what_changed(tmp_path: Path):
    with Store(tmp_path) as store:
        assert adopted(store) is None
        run = store.begin_run("watch", SETTINGS)
        assert adopted(store, bar=None) == run.id
        assert store.notes(run.id) == []
        assert adopted(store, fps=3.0, bar=None) == run.id
        (note,) = store.notes(run.id)
        assert note.text == "settings changed: fps (5.0 before, 3.0 now)"
        assert store.run(run.id).settings["fps"] == 3.0
        # What holds now is no news the next time.
        assert adopted(store, fps=3.0, bar=None) == run.id
        assert len(store.notes(run.id)) == 1


@pytest.mark.parametrize("what", ["source", "detector", "detector_config"])
def test_another_view_is_another_run(tmp_path: Path, what: str):
    with Store(tmp_path) as store:
        run = store.begin_run("watch", SETTINGS)
        assert adopted(store, bar=None, **{what: "another"}) is None
        assert store.run(run.id).settings == SETTINGS


def test_an_audit_stays_what_it_is(tmp_path: Path):
    with Store(tmp_path) as store:
        store.begin_run("audit", SETTINGS)
        with pytest.raises(UsageError, match="holds the results of another run: an audit"):
            adopted(store)
