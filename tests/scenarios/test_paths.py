"""Where shared files lie."""

from pathlib import Path

import platformdirs
import pytest

from scenarios import paths as places


def test_one_variable_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path))
    assert places.rating_store_path() == tmp_path / "data" / "ratings.sqlite"
    assert places.llm_folder() == tmp_path / "data" / "llm"
    assert places.base_dictionary_path() == tmp_path / "cache" / "dictionary" / "object_nouns.json"
    assert places.vectors_folder() == tmp_path / "cache" / "vectors"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [None, ""])
def test_by_default_the_platform_says_where(monkeypatch: pytest.MonkeyPatch, value: str | None):
    monkeypatch.delenv("NOMALY_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("NOMALY_HOME", value)
    assert places.data_folder() == platformdirs.user_data_path("nomaly")
    assert places.cache_folder() == platformdirs.user_cache_path("nomaly")
