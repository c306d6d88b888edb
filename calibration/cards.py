"""The JSON card of something that was kept, read and checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novic.errors import NomalyError
from novic.json_files import CARD_BYTES, read_json


@dataclass(frozen=True, slots=True)
class CardKind:
    """What a card must say, and how it is told that it does not."""

    format: str
    version: int
    fault: type[NomalyError]
    no_such: str
    """What another file is instead, as "is no calibration of Nomaly's"."""
    again: str
    """What to do about a bad one."""

    def read(self, file: Path, missing: str) -> dict[str, Any]:
        """Read a card.

        Args:
            file: The card.
            missing: What to do if it is not there.

        Raises:
            NomalyError: Of the kind `fault`, if it is not there, damaged, cut off, of something
                else or of another version.
        """
        try:
            card = read_json(file, CARD_BYTES)
        except FileNotFoundError as error:
            raise self.fault(f"{file}: is not there; {missing}") from error
        except (OSError, ValueError) as error:
            raise self.fault(f"{file}: damaged or cut off ({error}); {self.again}") from error
        if not isinstance(card, dict) or card.get("format") != self.format:
            raise self.fault(f"{file}: {self.no_such}; {self.again}")
        if card.get("version") != self.version:
            raise self.fault(
                f"{file}: is of version {card.get('version')}, this Nomaly reads {self.version}; "
                f"{self.again}"
            )
        return card
