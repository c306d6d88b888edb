"""Rivals that name crops, each against its definition worked out another way."""

from weakref import ref

import numpy as np
import pytest
import torch

from app.evaluating.pipeline.meaning import Meanings
from app.evaluating.pipeline.namers import (
    Argmax,
    Cased,
    ClassWords,
    Dictionary,
    Look,
    Nearest,
    Voted,
    cased_scores,
)
from app.evaluating.pipeline.views import View
from app.simulator.photos import photo
from detectors.types import Pixels
from novic.embedder import Vectors
from novic.embedders.starter import StarterEmbedder
from scenarios.raters.vectors.shipped import PackedVectors, shipped_vectors
from tests.app.builders import BrightnessNames

NOUNS = ("dog", "cat", "cup", "motorcycle", "egyptian cat")


def units(rng: np.random.Generator, count: int, width: int = 8) -> Vectors:
    vectors = rng.normal(size=(count, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def packed() -> PackedVectors:
    found = shipped_vectors()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def embedder() -> StarterEmbedder:
    return StarterEmbedder()


@pytest.fixture(scope="module")
def look(embedder: StarterEmbedder) -> Look:
    return Look(embedder)


@pytest.fixture(scope="module")
def words(meanings: Meanings) -> ClassWords:
    return ClassWords(meanings)


class Cat:
    """A cat, read anew whenever it is asked for; knows its crops while somebody holds them."""

    def __init__(self) -> None:
        self.read: list[ref[Pixels]] = []

    def views(self) -> list[View]:
        picture = photo("chelsea.png")[::2, ::2].copy()
        near = View((picture[10:130, 50:190].copy(), picture[:140, 30:200].copy()), 2.0)
        views = [near, View((picture,), 0.5)]
        self.read += [ref(crop) for view in views for crop in view.crops]
        return views


class Gone:
    """Pictures that are there no more."""

    def views(self) -> list[View]:
        return []


@pytest.fixture(scope="module")
def cat() -> Cat:
    return Cat()


def test_cased_scores_are_those_of_its_formula():
    rng = np.random.default_rng(0)
    captions, nouns, [image] = units(rng, 30), units(rng, 30), units(rng, 1)
    scores, rows = cased_scores(image, captions, nouns)
    nearest = torch.from_numpy(captions @ image).topk(10).indices.tolist()
    assert rows.tolist() == nearest
    assert scores.sum() == pytest.approx(1)
    centre = torch.from_numpy(captions[nearest]).mean(0)
    centre = centre / centre.norm()
    chosen = torch.from_numpy(nouns[nearest])
    by_image = torch.softmax(chosen @ torch.from_numpy(image) / 0.07, 0)
    by_captions = torch.softmax(chosen @ centre / 0.07, 0)
    assert np.allclose(scores, (by_image + by_captions) / 2, atol=1e-5)


def test_a_dictionary_of_fewer_than_ten_nouns_is_retrieved_whole():
    rng = np.random.default_rng(1)
    scores, rows = cased_scores(units(rng, 1)[0], units(rng, 3), units(rng, 3))
    assert sorted(rows.tolist()) == [0, 1, 2]
    assert len(scores) == 3


def test_what_is_seen_is_the_mean_over_crops_by_their_quality(
    look: Look, embedder: StarterEmbedder, cat: Cat
):
    crops = [crop for view in cat.views() for crop in view.crops]
    probabilities, vectors = embedder.class_probabilities(crops), embedder.embed_images(crops)
    seen = look.at(cat)
    assert seen is not None
    assert look.at(cat) is seen
    assert np.allclose(seen.probabilities, np.array([2, 2, 0.5]) @ probabilities / 4.5, atol=1e-5)
    mean = np.array([2, 2, 0.5]) @ vectors
    assert np.allclose(seen.vector, mean / np.linalg.norm(mean), atol=1e-5)


def test_what_was_seen_is_kept_and_the_crops_are_not(embedder: StarterEmbedder):
    look, cat = Look(embedder), Cat()
    seen = look.at(cat)
    assert len(cat.read) == 3
    assert all(crop() is None for crop in cat.read)
    assert look.at(cat) is seen
    assert len(cat.read) == 3, "looked at once"


def test_pictures_that_are_gone_have_no_name(look: Look, words: ClassWords, packed: PackedVectors):
    dictionary = Dictionary.of(NOUNS, packed, lambda _: np.empty((0, 384), np.float32))
    namers = (
        Argmax(look, words),
        Argmax(look, words, ("cat",)),
        Nearest(look, dictionary),
        Cased(look, dictionary),
        Voted(BrightnessNames()),
    )
    assert [namer.name(Gone()) for namer in namers] == [""] * 5


def test_the_classifier_says_its_best_class_or_the_candidate_whose_kinds_weigh_most(
    look: Look, words: ClassWords, cat: Cat
):
    free = Argmax(look, words).name(cat)
    seen = look.at(cat)
    assert seen is not None
    assert free == words.first[int(seen.probabilities.argmax())]
    assert free in ("egyptian cat", "tabby", "lynx", "tiger cat")
    assert Argmax(look, words, ("dog", "Cat", "cup")).name(cat) == "Cat"
    # No class is a kind of what it was never taught.
    assert Argmax(look, words, ("xyzzy",)).name(cat) == ""
    cats, dogs = words.members(["cat", "dog"]).sum(axis=1).tolist()
    # Five cats of houses, cougar and lynx, and not the big ones.
    assert (cats, dogs > 100) == (7, True)


def test_the_nearest_noun_is_that_with_the_largest_cosine(
    look: Look, packed: PackedVectors, cat: Cat
):
    dictionary = Dictionary.of(NOUNS, packed, lambda _: np.empty((0, 384), np.float32))
    seen = look.at(cat)
    assert seen is not None
    cosines = {noun: float(dictionary.bare[n] @ seen.vector) for n, noun in enumerate(NOUNS)}
    named = Nearest(look, dictionary).name(cat)
    assert named == max(NOUNS, key=lambda noun: cosines[noun])
    assert named in ("cat", "egyptian cat")
    assert Cased(look, dictionary).name(cat) in ("cat", "egyptian cat")


def test_nouns_without_shipped_vectors_are_embedded_bare_and_as_a_photo(packed: PackedVectors):
    asked: list[str] = []

    def embed(texts: object) -> Vectors:
        asked.extend(texts)  # pyright: ignore[reportArgumentType]
        return units(np.random.default_rng(0), len(asked), 384)

    found = Dictionary.of(["Cat", "xyzzy", "cat"], packed, embed)
    assert found.nouns == ("cat", "xyzzy")
    assert asked == ["xyzzy", "a photo of a xyzzy"]
    assert found.bare.shape == found.photo.shape == (2, 384)
