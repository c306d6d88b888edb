"""What tests of several rooms need once: WordNet, and the base dictionary made from it."""

import os
from pathlib import Path

import pytest

from scenarios.base.build import ensure_base
from scenarios.dictionary import ObjectDictionary, read_dictionary
from scenarios.wordnet import WordNet, WordNetError, read_wordnet
from tests.once import made_once


@pytest.fixture(scope="session")
def wordnet() -> WordNet:
    try:
        return read_wordnet()
    except WordNetError as error:
        if os.environ.get("PEERS_REQUIRED") == "1":
            raise
        pytest.skip(f"{error}")


@pytest.fixture(scope="session")
def home_with_base(tmp_path_factory: pytest.TempPathFactory, wordnet: WordNet) -> Path:
    """A folder for NOMALY_HOME that holds the base dictionary; made once for all test processes."""
    assert wordnet

    def build(home: Path) -> None:
        with pytest.MonkeyPatch.context() as changed:
            changed.setenv("NOMALY_HOME", str(home))
            ensure_base()

    return made_once(tmp_path_factory, "home", build)


@pytest.fixture(scope="session")
def base_file(home_with_base: Path) -> Path:
    return home_with_base / "cache" / "dictionary" / "object_nouns.json"


@pytest.fixture(scope="session")
def base_dictionary(base_file: Path) -> ObjectDictionary:
    return read_dictionary(base_file)
