"""Evaluating image sets: answers, truth, resuming after any end, and broken images."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from novic.decode import DecodedNoun, Kind
from novic.embedder import Pixels, Vectors
from novic.gencfg import GenConfig, parse_gencfg
from novic.image_sets import ImageSet, open_image_set
from training.evaluation.evaluate import Task, evaluate, gen_cfg
from training.evaluation.journal import Journal
from training.evaluation.predictions import EvaluationError

BEAM, GREEDY = parse_gencfg("beam_k2_gp"), parse_gencfg("greedy_gn")
SETTINGS = {"model": "brightness"}


class Brightness:
    """Embeds pictures by their mean colour; a black one has no vector."""

    def __init__(self) -> None:
        self.seen = 0

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        self.seen += len(images)
        return np.array([image.mean(axis=(0, 1)) for image in images], np.float32).reshape(-1, 3)


class Lamps:
    """Names vectors by how bright they are."""

    def decode(self, vectors: Vectors, config: GenConfig) -> list[list[DecodedNoun]]:
        assert np.isfinite(vectors).all()
        rows = []
        for vector in vectors:
            lamp = DecodedNoun("lamp", -float(vector[0]) / 255, Kind.GUIDE)
            shadow = DecodedNoun("shadow", -1.5, Kind.VOCABULARY)
            rows.append([lamp, shadow] if vector[0] > 128 else [shadow, lamp])
        return [row[: config.topk] for row in rows]


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    """Six pictures of two classes; the fourth file is broken."""
    for number in range(6):
        folder = tmp_path / "set" / ("dark" if number < 3 else "light")
        folder.mkdir(parents=True, exist_ok=True)
        picture = np.full((4, 4, 3), 40 * number + 20, np.uint8)
        Image.fromarray(picture).save(folder / f"{number}.png")
    (tmp_path / "set" / "light" / "3.png").write_text("no picture")
    return open_image_set(str(tmp_path / "set"))


def task(images: ImageSet, batch: int = 2) -> Task:
    accepted = (frozenset({"shadow"}), frozenset({"lamp", "light bulb"}))
    return Task(images, (BEAM, GREEDY), accepted, batch)


def run(images: ImageSet, journal: Path, embedder: Brightness | None = None, **given: object):
    return evaluate(
        embedder or Brightness(),
        Lamps(),
        task(images),
        journal,
        SETTINGS,
        **given,  # type: ignore[arg-type]
    )


def test_nouns_are_judged_by_the_classes(images: ImageSet, tmp_path: Path):
    told = []
    done = run(images, tmp_path / "j", report=lambda *state: told.append(state))
    assert done.samples == ["dark/0.png", "dark/1.png", "dark/2.png", "light/4.png", "light/5.png"]
    assert done.labels == [0, 0, 0, 1, 1]
    assert done.broken == {"light/3.png": "is not an image that can be read"}
    assert told == [(0, 6, 0), (2, 6, 0), (4, 6, 1), (6, 6, 1)]
    beam = done.answers["beam_k2_vnone_gp_t1_a0"]
    assert beam.nouns[0] == ["shadow", "lamp"]
    assert beam.nouns[-1] == ["lamp", "shadow"]
    assert beam.scores[-1] == [round(-220 / 255, 6), -1.5]
    # Right, or else what the decoder says of it.
    assert beam.results == [[0, 1], [0, 1], [0, 1], [0, 2], [0, 2]]
    assert done.answers["greedy_k1_vnone_gn_t1_a0"].results == [[0]] * 5


def test_without_classes_nothing_is_right(images: ImageSet, tmp_path: Path):
    flat = Task(replace(images, labels=(), classes=()), (BEAM,))
    done = evaluate(Brightness(), Lamps(), flat, tmp_path / "j", SETTINGS)
    assert done.labels == []
    assert done.answers[BEAM.name].results[0] == [2, 1]


def test_pictures_in_memory_are_named(tmp_path: Path):
    pictures = np.stack([np.full((8, 8, 3), value, np.uint8) for value in (250, 10)])
    small = ImageSet("cifar", ["valid/0", "valid/1"], pictures=pictures)
    done = evaluate(Brightness(), Lamps(), Task(small, (GREEDY,)), tmp_path / "j", SETTINGS)
    assert done.answers[GREEDY.name].nouns == [["lamp"], ["shadow"]]


def test_an_image_without_a_vector_is_broken(images: ImageSet, tmp_path: Path):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(images.files[1])
    done = run(images, tmp_path / "j")
    assert done.broken["dark/1.png"] == "the embedder makes no vector of it"
    assert "dark/1.png" not in done.samples


def test_it_goes_on_where_it_was_interrupted(images: ImageSet, tmp_path: Path):
    whole = run(images, tmp_path / "whole")

    def stop(done: int, total: int, broken: int) -> None:
        del total, broken
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(images, tmp_path / "j", report=stop)
    embedder = Brightness()
    done = run(images, tmp_path / "j", embedder)
    assert embedder.seen == 2
    assert (done.samples, done.broken, done.answers) == (
        whole.samples,
        whole.broken,
        whole.answers,
    )


@pytest.mark.parametrize("cut", [1, 10, 60, 200, 400])
def test_a_journal_cut_off_anywhere_is_gone_on_from(images: ImageSet, tmp_path: Path, cut: int):
    whole = run(images, tmp_path / "j")
    journal = tmp_path / "j"
    journal.write_bytes(journal.read_bytes()[:-cut])
    done = run(images, journal)
    assert done.answers == whole.answers
    lines = journal.read_text().splitlines()
    assert all(json.loads(line) for line in lines)


def test_a_journal_of_another_evaluation_is_left_alone(images: ImageSet, tmp_path: Path):
    run(images, tmp_path / "j")
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(EvaluationError, match="with other settings"):
        Journal(tmp_path / "j", {"model": "another"})
    assert (tmp_path / "j").read_bytes() == before
    (tmp_path / "notes").write_text("my notes")
    with pytest.raises(EvaluationError, match="with other settings"):
        Journal(tmp_path / "notes", SETTINGS)
    assert (tmp_path / "notes").read_text() == "my notes"


def test_a_damaged_journal_is_told(images: ImageSet, tmp_path: Path):
    journal = tmp_path / "j"
    run(images, journal)
    head, first, *rest = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([head, first[:9] + "\n", *rest]))
    with pytest.raises(EvaluationError, match=r"j: is damaged .*remove it to begin anew"):
        run(images, journal)


def test_a_repaired_image_is_tried_again(images: ImageSet, tmp_path: Path):
    assert run(images, tmp_path / "j").broken
    Image.fromarray(np.full((4, 4, 3), 200, np.uint8)).save(images.files[3])
    done = run(images, tmp_path / "j")
    assert not done.broken
    assert done.samples[3] == "light/3.png"


def test_a_full_disk_is_told_and_keeps_what_was_done(images: ImageSet):
    with pytest.raises(EvaluationError, match=r"/dev/full: cannot be (written|used): No space"):
        run(images, Path("/dev/full"))


def test_a_set_of_broken_images_is_an_error(images: ImageSet, tmp_path: Path):
    for file in images.files:
        file.write_text("no picture")
    with pytest.raises(
        EvaluationError, match=r"none of its 6 images can be read \(dark/0\.png: is"
    ):
        run(images, tmp_path / "j")


@pytest.mark.parametrize(
    ("text", "prior", "per_token", "scaler", "guided", "renorm"),
    [
        ("beam_k10_vnone_gp_t1_a0", False, False, 0.0, True, False),
        ("beam_k5_vtok0.5_gn_t2_a0.5", True, True, 0.5, False, False),
        ("all_k3_vtgt1_gr_t0.5_a0", True, False, 1.0, True, True),
    ],
)
def test_gen_cfg_has_upstreams_keys(
    text: str, prior: bool, per_token: bool, scaler: float, guided: bool, renorm: bool
):
    found = gen_cfg(parse_gencfg(text))
    assert list(found) == [
        "method",
        "topk",
        "vocab_prior",
        "vocab_per_token",
        "vocab_scaler",
        "guided",
        "guide_renorm",
        "temperature",
        "length_alpha",
        "name",
    ]
    assert found["name"] == text
    assert (found["vocab_prior"], found["vocab_per_token"], found["vocab_scaler"]) == (
        prior,
        per_token,
        scaler,
    )
    assert (found["guided"], found["guide_renorm"]) == (guided, renorm)
