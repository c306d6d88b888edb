"""Stored events are named once more, as one change that can be taken back."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from app.cli import cli
from app.errors import UsageError
from app.events.event import Event
from app.events.reading import in_place
from app.events.schema import STORE
from app.feedback.answers import Answer, keep_answer
from app.renaming.naming import named_again
from app.renaming.place import Naming, rename, take_back
from app.renaming.revisions import last_revision
from novic.bundle import Bundle, save_new_bundle
from novic.embedder import Vectors
from novic.embedders.starter import load_class_vectors
from novic.model import NounModel, load_model, model_sha256
from novic.vocabulary import PERSON
from tests.app.search.stores import called, keep, kept

OLD = "f" * 64


@pytest.fixture(scope="module")
def model() -> NounModel:
    return load_model(None, torch.device("cpu"))


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    """Of a tabby cat, an acoustic guitar and an airliner: names of ImageNet's classes."""
    return load_class_vectors()[[281, 402, 404]]


def naming(model: NounModel, **other: object) -> Naming:
    return replace(Naming(model, "a" * 64, "my-decoder", 1_795_985_600_000_000), **other)  # pyright: ignore


def events(folder: Path) -> list[Event]:
    with in_place(folder) as store:
        return store.events(1)


def stored(folder: Path, vectors: Vectors, **other: object) -> Path:
    """Three events of other names than their vectors have."""
    found = [called(number, "wrench", vector=vector) for number, vector in enumerate(vectors)]
    found = [replace(one, event=replace(one.event, **other)) for one in found]  # pyright: ignore
    return keep(folder, *found, embedder="starter", namer=OLD)


def test_names_are_changed_as_a_diff_and_taken_back(
    tmp_path: Path, model: NounModel, vectors: Vectors
):
    place = tmp_path / "site"
    hall, gate = stored(place / "hall", vectors), stored(place / "gate", vectors[:1])
    before = events(hall), events(gate)
    diff = rename(place, naming(model))
    assert (diff.asked, len(diff.changed), diff.kept, sum(diff.left.values())) == (4, 4, True, 0)
    assert sum(diff.pairs.values()) == 4
    assert {old for old, _ in diff.pairs} == {"wrench"}
    now = events(hall)
    assert [(event.id, event.headline) for event in now] == [
        (event_id, new) for event_id, _, new in diff.changed[-3:]
    ]
    assert now[0].candidates != before[0][0].candidates
    assert now[0].named_again.startswith("named again 2026-11-")
    assert now[0].named_again.endswith("by my-decoder; it was: wrench")
    assert now[0].as_json()["named_again"] == now[0].named_again
    back = take_back(place, 2)
    assert (events(hall), events(gate)) == before
    assert len(back.changed) == 4
    with pytest.raises(UsageError, match="nothing was named again there"):
        take_back(place, 3)


def test_a_dry_run_changes_nothing(tmp_path: Path, model: NounModel, vectors: Vectors):
    stored(tmp_path, vectors)
    before = events(tmp_path)
    diff = rename(tmp_path, naming(model), dry=True)
    assert (len(diff.changed), diff.kept) == (3, False)
    assert events(tmp_path) == before
    assert last_revision(tmp_path) is None


def test_what_people_said_is_never_overwritten(tmp_path: Path, model: NounModel, vectors: Vectors):
    stored(tmp_path, vectors)
    first, second, third = (event.id for event in events(tmp_path))
    keep_answer(tmp_path, Answer(first, "confirmed", time_us=1))
    keep_answer(tmp_path, Answer(second, "renamed", "lute", time_us=1))
    keep_answer(tmp_path, Answer(third, "false_alarm", time_us=1))
    diff = rename(tmp_path, naming(model))
    assert diff.left == {"said": 2}
    assert [event_id for event_id, *_ in diff.changed] == [third]
    assert [event.noun for event in events(tmp_path)][:2] == ["wrench", "wrench"]


def test_what_was_said_while_names_were_made_holds(
    tmp_path: Path, model: NounModel, vectors: Vectors
):
    stored(tmp_path, vectors)
    first = events(tmp_path)[0].id

    def meanwhile(*_: int) -> None:
        keep_answer(tmp_path, Answer(first, "confirmed", time_us=1))

    rename(tmp_path, naming(model), told=meanwhile)
    assert [event.noun == "wrench" for event in events(tmp_path)] == [True, False, False]


def test_events_of_other_vectors_or_that_go_on_are_left_and_counted(
    tmp_path: Path, model: NounModel, vectors: Vectors
):
    keep(tmp_path, called(0, "wrench", vector=vectors[0]), embedder="openclip:other")
    keep(tmp_path, called(1, "wrench"), embedder="starter")
    going_on = called(2, "wrench", vector=vectors[1], state="updated")
    keep(tmp_path, going_on, called(3, "wrench", vector=vectors[1]), embedder="starter")
    with kept(tmp_path, called(4, "ladder", state="opened")) as watching:
        diff = rename(tmp_path, naming(model))
        # A watch goes on beside it.
        watching.add_note(1, "still there")
    assert diff.left == {"embedder": 1, "vector": 1, "open": 2}
    assert [event_id for event_id, *_ in diff.changed] == ["00000000000003-abc"]


def test_the_same_decoder_has_nothing_new_to_say(
    tmp_path: Path, model: NounModel, vectors: Vectors
):
    stored(tmp_path, vectors)
    again = rename(tmp_path, naming(model, sha256=OLD))
    assert (again.asked, again.left) == (0, {"same": 3})
    # Nor has another one that says of each vector what the earlier one says of it.
    asked: list[str] = []

    def earlier(sha256: str) -> NounModel:
        asked.append(sha256)
        return model

    diff = rename(tmp_path, naming(model, earlier=earlier))
    assert (diff.asked, diff.changed, diff.other, asked) == (3, [], 0, [OLD])
    rename(tmp_path, naming(model))
    assert rename(tmp_path, naming(model)).left == {"same": 3}
    take_back(tmp_path, 2)
    assert len(rename(tmp_path, naming(model)).changed) == 3


def test_people_that_were_seen_in_pictures_stay_people(model: NounModel, vectors: Vectors):
    event = called(0, PERSON).event
    seen = replace(event, candidates=((PERSON, 0.9), ("wrench", 0.05)), people=2)
    (one,) = named_again([seen], vectors[1:2], model)
    assert (one.after.noun, one.after.people) == (PERSON, 2)
    assert one.after.p == pytest.approx(0.9)
    (other,) = named_again([event], vectors[1:2], model)
    assert other.after.noun != PERSON


def test_how_rare_it_looks_there_is_kept_under_another_name(model: NounModel, vectors: Vectors):
    event = called(0, "wrench").event
    (first,) = named_again([event], vectors[:1], model)
    evidence = first.after.evidence
    assert evidence is not None
    calibrated = replace(first.after, evidence=replace(evidence, site_p=0.02))
    (again,) = named_again([calibrated], vectors[1:2], model)
    assert again.after.evidence is not None
    assert again.after.evidence.site_p == 0.02
    assert again.changes


def other_decoder(path: Path, model: NounModel) -> Path:
    """A bundle of a decoder that was pushed a little, so that it names otherwise."""
    bundle: Bundle = load_model(None, torch.device("cpu")).bundle
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        weight = bundle.decoder.token_table.weight
        weight += 0.3 * weight.std() * torch.randn(weight.shape, generator=generator)
    save_new_bundle(path, bundle, half=False, overwrite=False)
    assert model_sha256(path) != model_sha256(None)
    return path


def test_the_command_renames_and_takes_back(tmp_path: Path, model: NounModel, vectors: Vectors):
    place = stored(tmp_path / "out", vectors)
    decoder = other_decoder(tmp_path / "pushed", model)

    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, ["events", "rename", str(place), "-q", *words])
        assert done.exception is None, done.exception
        return done.stdout

    told = run("--model", str(decoder), "--dry-run")
    assert "'wrench' → '" in told
    assert "Nothing was kept." in told
    assert "--undo takes it back." in run("--model", str(decoder))
    assert "3 events got their old names back." in run("--undo")
    assert {event.noun for event in events(place)} == {"wrench"}
    done = CliRunner().invoke(cli, ["events", "rename", str(place), "--undo", "--dry-run"])
    assert isinstance(done.exception, UsageError)


def test_a_revision_that_was_broken_off_can_be_taken_back(
    tmp_path: Path, model: NounModel, vectors: Vectors
):
    stored(tmp_path, vectors)
    before = events(tmp_path)
    rename(tmp_path, naming(model))
    with closing(sqlite3.connect(tmp_path / STORE)) as database, database:
        # As if the last event had not been reached.
        last = before[-1].id
        kept_before = database.execute(
            "DELETE FROM renamed WHERE event_id = ? RETURNING before", (last,)
        ).fetchone()
    assert kept_before is not None
    take_back(tmp_path, 2)
    assert events(tmp_path)[:2] == before[:2]


def test_no_vectors_are_no_work(tmp_path: Path, model: NounModel):
    keep(tmp_path, namer=OLD)
    diff = rename(tmp_path, naming(model))
    assert (diff.asked, diff.changed, diff.left) == (0, [], {})
    assert named_again([], np.empty((0, 384), np.float32), model) == []


def test_only_events_since_a_time_are_named(tmp_path: Path, model: NounModel, vectors: Vectors):
    stored(tmp_path, vectors)
    second = events(tmp_path)[1]
    diff = rename(tmp_path, naming(model), second.start_us)
    assert [event_id for event_id, *_ in diff.changed] == [
        event.id for event in events(tmp_path)[1:]
    ]
