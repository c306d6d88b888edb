"""What tests of several rooms need once: WordNet, and the base dictionary made from it."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from scenarios.base.build import ensure_base
from scenarios.dictionary import ObjectDictionary, read_dictionary
from scenarios.wordnet import WordNet, WordNetError, read_wordnet


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
    here = tmp_path_factory.getbasetemp()
    home = (here.parent if "PYTEST_XDIST_WORKER" in os.environ else here) / "home"
    home.mkdir(exist_ok=True)
    with FileLock(home / "lock"), pytest.MonkeyPatch.context() as changed:
        changed.setenv("NOMALY_HOME", str(home))
        ensure_base()
    return home


@pytest.fixture(scope="session")
def base_file(home_with_base: Path) -> Path:
    return home_with_base / "cache" / "dictionary" / "object_nouns.json"


@pytest.fixture(scope="session")
def base_dictionary(base_file: Path) -> ObjectDictionary:
    return read_dictionary(base_file)
