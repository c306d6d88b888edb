"""Where Nomaly keeps what it can make again."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Base dictionary, text vectors and the like.

    It is the folder of the platform, or, if NOMALY_HOME names a folder, cache in there. Made when
    something is first written to it, not here.
    """
    home = os.environ.get("NOMALY_HOME")
    return Path(home).expanduser() / "cache" if home else platformdirs.user_cache_path("nomaly")
