"""What tests of several rooms need once: WordNet, and the base dictionary made from it."""

from pathlib import Path

import pytest

from scenarios.base.build import ensure_base
from scenarios.dictionary import ObjectDictionary, read_dictionary
from scenarios.wordnet import WordNet, read_wordnet
from tests.once import made_once


@pytest.fixture(scope="session")
def wordnet() -> WordNet:
    return read_wordnet()


@pytest.fixture(scope="session")
def home_with_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for NOMALY_HOME that holds the base dictionary; made once for all test processes."""

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
