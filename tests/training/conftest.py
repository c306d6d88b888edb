"""What several training tests read once: WordNet and the dictionary made from it."""

import os

import pytest

from training.nouns import Noun, choose_nouns
from training.wordnet import WordNet, WordNetError, read_wordnet


@pytest.fixture(scope="session")
def wordnet() -> WordNet:
    try:
        return read_wordnet()
    except WordNetError as error:
        if os.environ.get("PEERS_REQUIRED") == "1":
            raise
        pytest.skip(f"{error}")


@pytest.fixture(scope="session")
def nouns(wordnet: WordNet) -> dict[str, Noun]:
    return {noun.text: noun for noun in choose_nouns(wordnet)}
