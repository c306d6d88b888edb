"""What tests of several rooms read once from files that must be installed."""

import os

import pytest

from scenarios.wordnet import WordNet, WordNetError, read_wordnet


@pytest.fixture(scope="session")
def wordnet() -> WordNet:
    try:
        return read_wordnet()
    except WordNetError as error:
        if os.environ.get("PEERS_REQUIRED") == "1":
            raise
        pytest.skip(f"{error}")
