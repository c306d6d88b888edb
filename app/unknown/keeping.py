"""What an evaluation keeps of its scores, and how kept ones are asked about other pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import UsageError
from app.unknown.looking import Folder
from calibration.kept import Kept, KeptError, read_kept, write_kept
from calibration.scores.protocol import Fitted
from novic.digest import file_sha256

if TYPE_CHECKING:
    from novic.embedder import Embedder

DIGITS = 16
"""Of a picture's SHA-256; so many tell it from all others."""
TAGOOD = "tagood_sha256"


@dataclass(frozen=True, slots=True)
class Learned:
    """What scores were fitted on."""

    classes: tuple[str, ...] = ()
    """Empty without labels."""
    nouns: tuple[str, ...] = ()
    """That stand for what is known; empty without."""
    pictures: tuple[str, ...] = ()
    """The beginning of the SHA-256 of each."""

    @staticmethod
    def of(classes: Sequence[str], nouns: Sequence[str], files: Sequence[str]) -> "Learned":
        """What was fitted on files of pictures."""
        digests = (file_sha256(Path(file))[:DIGITS] for file in files)
        return Learned(tuple(classes), tuple(nouns), tuple(digests))

    def as_json(self) -> dict[str, list[str]]:
        """As it is kept beside the scores."""
        return {
            "classes": list(self.classes),
            "nouns": list(self.nouns),
            "pictures": list(self.pictures),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """Scores that were fitted before, and on what."""

    folder: Path
    kept: Kept
    learned: Learned

    def check(self, embedder: "Embedder", model: Path | None, tagood: Path | None) -> None:
        """Refuse them where something else looks.

        Raises:
            calibration.kept.KeptError: If something of it differs.
        """
        here = bindings_of(embedder, model, tagood)
        if TAGOOD not in self.kept.bindings:
            here.pop(TAGOOD, None)
        self.kept.check(here, self.folder)


def read_before(folder: Path) -> Before:
    """Read what `keep` wrote.

    Raises:
        calibration.kept.KeptError: If there is none, or it is damaged.
    """
    kept = read_kept(folder)
    said = {}
    for name in ("classes", "nouns", "pictures"):
        texts = kept.facts.get(name)
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise KeptError(f"{folder}: does not say the {name} that were fitted on; fit again")
        said[name] = tuple(texts)
    return Before(folder, kept, Learned(**said))


def keep(
    folder: Path, scores: Mapping[str, Fitted], bindings: Mapping[str, str], learned: Learned
) -> None:
    """Write fitted scores for other pictures.

    Args:
        folder: Made if missing.
        scores: By name.
        bindings: What they depend on, by `bindings_of`.
        learned: What they were fitted on.

    Raises:
        calibration.kept.KeptError: If they cannot be written.
    """
    write_kept(folder, Kept(scores, bindings, learned.as_json()))


def bindings_of(embedder: "Embedder", model: Path | None, tagood: Path | None) -> dict[str, str]:
    """What the numbers of scores depend on, but for where it is computed.

    Args:
        embedder: What looks.
        model: Decoder, as it was asked for.
        tagood: Folder of a TagOOD, if one looks too.
    """
    from novic.model import model_sha256  # noqa: PLC0415 - torch
    from novic.tagood.files import LAYOUT  # noqa: PLC0415
    from novic.trained_folders import identity_sha256  # noqa: PLC0415

    found = {
        "embedder": str(embedder.identity()["model_id"]),
        "embedder_sha256": identity_sha256(embedder),
        "decoder_sha256": model_sha256(model),
    }
    if tagood is not None:
        found[TAGOOD] = str(LAYOUT.read_card(tagood)["weights_sha256"])
    return found


def unlearned(folder: Folder, learned: Learned, say: Callable[[str], None]) -> Folder:
    """A folder without the pictures that scores were fitted on, which they would remember.

    Args:
        folder: Of what is known.
        learned: What was fitted on.
        say: Told how many are left out.

    Raises:
        UsageError: If no picture is left.
    """
    taken = frozenset(learned.pictures)
    new = [file for file in folder.files if file_sha256(Path(file))[:DIGITS] not in taken]
    if not new:
        raise UsageError(f"{folder.path}: the scores were fitted on all of its pictures")
    if count := len(folder.files) - len(new):
        say(f"{folder.path}: left out: {count} pictures that the scores were fitted on")
    return replace(folder, files=tuple(new))
