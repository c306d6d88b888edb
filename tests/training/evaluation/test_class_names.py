"""Class names, and the nouns that are right for them."""

import json
from pathlib import Path

import pytest

from scenarios.dictionary import NounEntry, ObjectDictionary
from training.evaluation.class_names import (
    accepted_nouns,
    clip_class_name,
    read_class_names,
)
from training.evaluation.predictions import EvaluationError


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("tench", "tench"),
        ("crane (bird)", "crane"),
        ("crane [bird]", "crane"),
        ("T-shirt / top", "T-shirt"),
        ("product packet / packaging", "product packet"),
        ("vaulted or arched ceiling", "vaulted ceiling"),
        ("red wolf or maned wolf", "red wolf"),
        ("bell or wind chime", "chime"),
        ("pier or dock", "pier"),
        ("corn", "corn"),
    ],
)
def test_clip_names_are_cleaned(name: str, clean: str):
    assert clip_class_name(name) == clean


def test_class_names_of_a_file(tmp_path: Path):
    multi, clip = tmp_path / "cls_class_names_multi.json", tmp_path / "cls_class_names_clip.json"
    content = {"imagenet1k": ["tench, Tinca tinca", "crane (bird)"], "imagenet-a": ["x"]}
    for path in (multi, clip):
        path.write_text(json.dumps(content))
    assert read_class_names(multi, "ImageNet1K", 2) == ("tench, Tinca tinca", "crane (bird)")
    assert read_class_names(clip, "imagenet1kval", 2)[1] == "crane"
    assert read_class_names(multi, "ImageNet_A", 1) == ("x",)
    with pytest.raises(EvaluationError, match="has 2 names, but the pictures are of 3 classes"):
        read_class_names(multi, "imagenet1k", 3)
    with pytest.raises(EvaluationError, match="holds no data set 'mnist', only imagenet1k"):
        read_class_names(multi, "mnist", 10)
    multi.write_text("[]")
    with pytest.raises(EvaluationError, match="must be an object"):
        read_class_names(multi, "mnist", 10)


def entry(number: int, target: str, singulars: list[str], plurals: list[str]) -> NounEntry:
    ones = tuple(1 for _ in singulars), tuple(1 for _ in plurals)
    return NounEntry(number, target, target, tuple(singulars), tuple(plurals), *ones)


DICTIONARY = ObjectDictionary(
    (
        entry(7, "airplane", ["aeroplane", "airplane"], ["aeroplanes", "airplanes"]),
        entry(3, "glass", ["glass"], ["glasses"]),
        entry(5, "spectacles", ["spectacles", "glasses"], []),
        entry(9, "t shirt", ["T-shirt", "tee shirt"], ["T-shirts"]),
    )
)


def test_a_noun_is_right_if_an_entry_has_it_and_a_synonym():
    nouns = ["airplane", "glass", "spectacles", "t shirt", "tench"]
    classes = ["aeroplane", "Tee-Shirt, top", "glasses", "Tench, Tinca tinca", "yurt"]
    assert accepted_nouns(classes, nouns, DICTIONARY) == [
        {"airplane"},
        {"t shirt"},
        {"glass", "spectacles"},
        # Not in the dictionary, but spelt as the noun.
        {"tench"},
        set(),
    ]


def test_without_a_dictionary_only_the_spelling_counts():
    assert accepted_nouns(["aeroplane, Airplane", "glasses"], ["airplane", "glass"]) == [
        {"airplane"},
        set(),
    ]


def test_the_whole_dictionary_counts_whatever_the_model_learnt():
    # "spectacles" was not learnt; "glasses" still means it and the learnt "glass".
    assert accepted_nouns(["spectacles", "glass"], ["glass"], DICTIONARY) == [set(), {"glass"}]
