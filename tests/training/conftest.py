"""What several training tests read once: the nouns made from WordNet."""

import pytest

from scenarios.wordnet import WordNet
from training.texts.nouns import Noun, choose_nouns


@pytest.fixture(scope="session")
def nouns(wordnet: WordNet) -> dict[str, Noun]:
    return {noun.text: noun for noun in choose_nouns(wordnet)}
