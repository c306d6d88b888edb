"""The synthetic dictionary of the parity recordings, as a file and read."""

import gzip
from pathlib import Path

import pytest

from scenarios.dictionary import ObjectDictionary, read_dictionary

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def dictionary_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dictionary") / "object_nouns.json"
    path.write_bytes(gzip.decompress((DATA / "object_nouns.json.gz").read_bytes()))
    return path


@pytest.fixture(scope="session")
def dictionary(dictionary_file: Path) -> ObjectDictionary:
    return read_dictionary(dictionary_file)
