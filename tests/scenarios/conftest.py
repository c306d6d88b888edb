"""The synthetic dictionary of the parity recordings, as a file and read."""

from pathlib import Path

import pytest

from scenarios.dictionary import ObjectDictionary
from tests.scenarios.builders import large_dictionary, unpack_large_dictionary


@pytest.fixture(scope="session")
def dictionary_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_large_dictionary(tmp_path_factory.mktemp("dictionary"))


@pytest.fixture(scope="session")
def dictionary() -> ObjectDictionary:
    return large_dictionary()
