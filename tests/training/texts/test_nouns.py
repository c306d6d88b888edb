import pytest

from novic.vocabulary import canonical
from scenarios.wordnet import WordNet
from training.texts.nouns import Noun, class_synsets, hypernym_nouns


@pytest.mark.parametrize(
    ("spelling", "noun"),
    [
        pytest.param("T-shirt", "t shirt", id="hyphen"),
        pytest.param("jack-o'-lantern", "jack o lantern", id="apostrophe"),
        pytest.param("St. Bernard ", "st bernard", id="dot and space"),
        pytest.param("on/off  switch", "on off switch", id="slash"),
    ],
)
def test_canonical(spelling: str, noun: str):
    assert canonical(spelling) == noun


def test_every_imagenet_class_has_its_name_among_the_nouns(
    wordnet: WordNet, nouns: dict[str, Noun]
):
    names = [canonical(wordnet.synsets[offset].lemmas[0]) for offset in class_synsets()]
    assert len(names) == 1000
    assert set(names) <= set(nouns)


def test_there_are_thousands_of_nouns(nouns: dict[str, Noun]):
    assert 5000 < len(nouns) < 9000
    assert all(noun == canonical(noun) for noun in nouns)


@pytest.mark.parametrize(
    "noun",
    [
        "bottle",
        "backpack",
        "wrench",
        "hammer",
        "laptop",
        "chair",
        "ladder",
        "drone",
        "bear",
        "fly",
        "mug",
        "glove",
        "helmet",
        "brick",
        "apple",
        "bicycle",
        "suitcase",
        "umbrella",
        "person",
        "child",
        "traffic light",
        "fire truck",
    ],
)
def test_things_that_cameras_meet_are_kept(noun: str, nouns: dict[str, Noun]):
    assert noun in nouns


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("private", "an adjective"),
        ("minister", "a person that no picture shows"),
        ("have", "a verb"),
        ("national", "an adjective"),
        ("way", "anything"),
        ("must", "grammar"),
        ("works", "a plural"),
        ("gold worker", "a phrase that nobody says"),
    ],
)
def test_words_that_swallow_uncertain_pictures_are_left_out(
    word: str, why: str, nouns: dict[str, Noun]
):
    assert word not in nouns, why


def test_a_meaning_counts_by_its_share_of_use(wordnet: WordNet, nouns: dict[str, Noun]):
    crane = nouns["crane"]
    kinds = {wordnet.synsets[offset].lexname for offset, _ in crane.senses}
    assert kinds == {"animal", "artifact"}
    assert nouns["saw"].zipf < nouns["hammer"].zipf
    assert max(prior for _, prior in crane.senses) == 1.0


def test_hypernyms_are_readable_nouns_from_near_to_far(wordnet: WordNet, nouns: dict[str, Noun]):
    kinds = hypernym_nouns(wordnet, [nouns["crow"], nouns["hammer"]])
    assert "bird" in kinds["crow"]
    assert kinds["crow"].index("bird") < kinds["crow"].index("animal")
    assert "crow" not in kinds["crow"]
    assert "tool" in kinds["hammer"]
