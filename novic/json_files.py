"""JSON that others wrote, read without letting its size or depth exhaust the machine."""

import json
from pathlib import Path
from typing import Any

CARD_BYTES = 8 << 20
"""Of a file that describes others."""
TABLE_BYTES = 256 << 20
"""Of a file that lists something; it takes some ten times its size to read."""


def read_json(path: Path, most_bytes: int = TABLE_BYTES) -> Any:  # noqa: ANN401
    """What a JSON file holds.

    Args:
        path: The file.
        most_bytes: A larger one is not read.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is too large, no UTF-8, no JSON, or nested too deeply.
    """
    if path.stat().st_size > most_bytes:
        raise ValueError(f"is larger than {most_bytes:,} bytes, so it is not read")
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401
    """What a JSON text holds.

    Raises:
        ValueError: If it is no UTF-8, no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
