"""Word vectors: what they are, and that the cache neither loses nor repeats work."""

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from novic.embedder import Vectors
from novic.embedders.starter import TextModel
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.raters.vectors import nouns as vectors_module
from scenarios.raters.vectors.nouns import Embed, NounVectors, noun_vectors
from scenarios.ratings.records import RatingError
from tests.scenarios.builders import small_dictionary

NOUNS = ("axe", "bolt", "cable", "drill", "engine", "forklift", "glove", "hammer")


def dictionary_of(nouns: Sequence[str]) -> ObjectDictionary:
    return ObjectDictionary(
        tuple(
            NounEntry(number, noun, noun, (noun,), (f"{noun}s",), (1,), (1,))
            for number, noun in enumerate(sorted(nouns))
        )
    )


class Recording:
    """Embeds with the real model and remembers what."""

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self._model.embed(texts)


@pytest.fixture
def recording(text_model: TextModel) -> Recording:
    return Recording(text_model)


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four texts a file, so that a few nouns need several."""
    monkeypatch.setattr(vectors_module, "TEXTS_PER_FILE", 4)


def assert_equal(found: NounVectors, expected: NounVectors) -> None:
    assert found.nouns == expected.nouns
    np.testing.assert_array_equal(found.bare, expected.bare)
    np.testing.assert_array_equal(found.photo, expected.photo)
    np.testing.assert_array_equal(found.where, expected.where)
    np.testing.assert_array_equal(found.people, expected.people)


def test_vectors_are_the_models(text_model: TextModel, tmp_path: Path):
    found = noun_vectors(small_dictionary(), tmp_path, embed=text_model.embed)
    assert found.nouns == ("airplane", "deer", "glass", "glasses", "suv", "x ray machine")
    photos = ["a photo of an airplane", "a photo of glasses", "a photo of an x ray machine"]
    numbers = [0, 3, 5]
    np.testing.assert_allclose(found.photo[numbers], text_model.embed(photos), atol=2e-4)
    np.testing.assert_allclose(found.bare, text_model.embed(found.nouns), atol=2e-4)
    places = text_model.embed(["the place where you usually see an x ray machine"])
    np.testing.assert_allclose(found.where[5:], places, atol=2e-4)
    people = text_model.embed(["people who work with glasses"])
    np.testing.assert_allclose(found.people[3:4], people, atol=2e-4)
    np.testing.assert_array_equal(found.both[:, 384:], found.photo)
    assert found.numbers["glasses"] == 3


def test_the_model_is_loaded_by_itself_and_only_when_needed(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = noun_vectors(dictionary_of(NOUNS), tmp_path)
    monkeypatch.setattr(vectors_module, "TextModel", None)
    assert_equal(noun_vectors(dictionary_of(NOUNS), tmp_path), first)
    assert_equal(noun_vectors(dictionary_of(NOUNS), tmp_path / "new", embed=recording), first)


def test_another_dictionary_pays_only_for_what_is_new(recording: Recording, tmp_path: Path):
    noun_vectors(dictionary_of(NOUNS), tmp_path, embed=recording)
    recording.texts.clear()
    told: list[tuple[int, int]] = []
    noun_vectors(
        dictionary_of([*NOUNS[2:], "robot"]),
        tmp_path,
        embed=recording,
        report=lambda done, total: told.append((done, total)),
    )
    assert recording.texts == [
        "robot",
        "a photo of a robot",
        "the place where you usually see a robot",
        "people who work with a robot",
    ]
    assert told == [(24, 28), (28, 28)]


@pytest.mark.usefixtures("small_files")
def test_what_was_embedded_before_an_interrupt_is_kept(recording: Recording, tmp_path: Path):
    uninterrupted = noun_vectors(dictionary_of(NOUNS), tmp_path / "whole", embed=recording)
    recording.texts.clear()

    def interrupt(done: int, _total: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    cache = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        noun_vectors(dictionary_of(NOUNS), cache, embed=recording, report=interrupt)
    resumed = noun_vectors(dictionary_of(NOUNS), cache, embed=recording)
    assert len(recording.texts) == len(set(recording.texts)) == 4 * len(NOUNS)
    assert_equal(resumed, uninterrupted)


def test_an_interrupt_in_the_middle_of_a_file_keeps_what_was_embedded(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vectors_module, "TEXTS_AT_ONCE", 2)

    def interrupt(done: int, _total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        noun_vectors(dictionary_of(NOUNS), tmp_path, embed=recording, report=interrupt)
    assert len(recording.texts) == 6
    noun_vectors(dictionary_of(NOUNS), tmp_path, embed=recording)
    assert len(recording.texts) == len(set(recording.texts)) == 4 * len(NOUNS)


@pytest.mark.parametrize(("texts", "sentences"), [(10**15, 1), (400, 0)])
def test_what_takes_long_is_told_once(texts: int, sentences: int):
    told: list[str] = []
    pace = vectors_module._Pace(texts, told.append)
    for _ in range(3):
        pace.tell_after(vectors_module.TEXTS_AT_ONCE)
    assert len(told) == sentences
    assert all("min here, once. Ctrl-C keeps what is done" in sentence for sentence in told)


def embed_and_be_killed(folder: Path) -> None:
    """Embed nouns until SIGKILL comes while the third file is written; for a process of its own."""
    written: list[int] = []

    def kill_in_third_file(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    def embed(texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), 384), 384**-0.5, dtype=np.float32)

    os.fsync = kill_in_third_file
    noun_vectors(dictionary_of(NOUNS), folder, embed=embed)


# A fork, as a new interpreter takes ten seconds to import what this one has; its threads, which
# the warning is about, take no part.
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.usefixtures("small_files")
def test_what_was_embedded_before_a_kill_is_kept(recording: Recording, tmp_path: Path):
    child = os.fork()
    if not child:
        try:
            embed_and_be_killed(tmp_path)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert len(list(tmp_path.glob("*.safetensors"))) == 2
    assert len(list(tmp_path.glob("*.new"))) == 1
    told: list[str] = []
    noun_vectors(dictionary_of(NOUNS), tmp_path, embed=recording, tell=told.append)
    assert len(recording.texts) == 4 * len(NOUNS) - 8
    assert not told
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "no metadata"])
@pytest.mark.usefixtures("small_files")
def test_a_damaged_file_is_made_again(recording: Recording, tmp_path: Path, damage: str):
    whole = noun_vectors(dictionary_of(NOUNS), tmp_path, embed=recording)
    recording.texts.clear()
    file = sorted(tmp_path.glob("*.safetensors"))[1]
    content = bytearray(file.read_bytes())
    if damage == "cut":
        del content[-100:]
    elif damage == "flipped":
        content[-100] ^= 1
    elif damage == "empty":
        content.clear()
    else:
        content = content.replace(b"sha256", b"sha255")
    file.write_bytes(content)
    told: list[str] = []
    again = noun_vectors(dictionary_of(NOUNS), tmp_path, embed=recording, tell=told.append)
    assert len(recording.texts) == 4
    assert len(told) == 1
    assert told[0].startswith(f"{file}: damaged (")
    assert_equal(again, whole)


def test_two_runs_at_once_embed_each_noun_once(recording: Recording, tmp_path: Path):
    """The second waits for the first and takes its vectors."""
    told: list[str] = []
    waits = threading.Event()

    def note(sentence: str) -> None:
        told.append(sentence)
        waits.set()

    def second() -> None:
        noun_vectors(dictionary_of(NOUNS), tmp_path, embed=recording, tell=note)

    def embed_while_the_second_waits(texts: Sequence[str]) -> Vectors:
        thread.start()
        assert waits.wait(60)
        return recording(texts)

    thread = threading.Thread(target=second)
    first: Embed = embed_while_the_second_waits
    noun_vectors(dictionary_of(NOUNS), tmp_path, embed=first)
    thread.join(60)
    assert not thread.is_alive()
    assert len(recording.texts) == 4 * len(NOUNS)
    assert told == ["another run is embedding words; waiting for it, since its vectors serve both"]


def test_a_cache_that_cannot_be_written_is_told(recording: Recording, tmp_path: Path):
    (tmp_path / "vectors").write_text("in the way")
    with pytest.raises(RatingError, match=r"vectors: the word vectors cannot be kept: File exists"):
        noun_vectors(dictionary_of(NOUNS), tmp_path / "vectors", embed=recording)


def test_the_lock_is_free_after_a_fault(tmp_path: Path):
    def broken(_texts: Sequence[str]) -> Vectors:
        raise ValueError("no text model")

    with pytest.raises(ValueError, match="no text model"):
        noun_vectors(dictionary_of(NOUNS), tmp_path, embed=broken)
    with FileLock(tmp_path / "lock", timeout=0):
        pass
