"""Where Nomaly keeps what all scenarios of a user share."""

import os
from pathlib import Path

import platformdirs

from novic.folders import cache_folder


def data_folder() -> Path:
    """What must not be lost: ratings, language models.

    It is the folder of the platform, or, if NOMALY_HOME names a folder, data in there. Made when
    something is first written to it, not here.
    """
    home = os.environ.get("NOMALY_HOME")
    return Path(home).expanduser() / "data" if home else platformdirs.user_data_path("nomaly")


def rating_store_path() -> Path:
    """Every answer that was ever given or paid for."""
    return data_folder() / "ratings.sqlite"


def llm_folder() -> Path:
    """Files of language models, GGUF."""
    return data_folder() / "llm"


def base_dictionary_path() -> Path:
    """The dictionary that sites start from, unless they name another."""
    return cache_folder() / "dictionary" / "object_nouns.json"


def vectors_folder() -> Path:
    """Text embeddings of nouns, one file for each content and embedder."""
    return cache_folder() / "vectors"
