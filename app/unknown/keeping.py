"""What an evaluation keeps of its scores, and how kept ones are asked about other pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.errors import UsageError
from app.unknown.looking import Folder
from calibration.kept import Kept, KeptError, read_kept, write_kept
from calibration.scores.protocol import Fitted
from novic.digest import file_sha256

if TYPE_CHECKING:
    from novic.embedder import Embedder

DIGITS = 16
"""Of a picture's SHA-256; so many tell it from all others."""
PICTURES, TUNING = "pictures", "tuning"
LOGISTIC = "logistic"
"""The score that is weighed by tuning pictures."""
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
    tuning: tuple[str, ...] = ()
    """The same of the foreign pictures that a fusion was weighed by."""

    def with_pictures(self, files: Sequence[str], tuning: Sequence[str]) -> "Learned":
        """The same, fitted on files of pictures, and weighed by those for tuning.

        Raises:
            UsageError: If one cannot be read any more.
        """
        return replace(self, pictures=_digests(files), tuning=_digests(tuning))

    def only_for(self, scores: Mapping[str, Fitted]) -> "Learned":
        """The same without the tuning pictures if no score was weighed by them after all."""
        return self if LOGISTIC in scores else replace(self, tuning=())

    def facts(self) -> dict[str, list[str]]:
        """What of it is kept as JSON."""
        return {"classes": list(self.classes), "nouns": list(self.nouns)}

    def tables(self) -> dict[str, NDArray[np.uint8]]:
        """What of it is kept as arrays: digests, uint8 [N, 8]."""
        both = {PICTURES: self.pictures, TUNING: self.tuning}
        return {name: _packed(digests) for name, digests in both.items()}


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
    for name in ("classes", "nouns"):
        texts = kept.facts.get(name)
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise KeptError(f"{folder}: does not say the {name} that were fitted on; fit again")
        said[name] = tuple(texts)
    for name in (PICTURES, TUNING):
        table = kept.tables.get(name)
        if table is None or table.dtype != np.uint8 or table.shape[1:] != (DIGITS // 2,):
            raise KeptError(f"{folder}: does not say which {name} were fitted on; fit again")
        said[name] = tuple(row.tobytes().hex() for row in table)
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
    write_kept(folder, Kept(scores, bindings, learned.facts(), learned.tables()))


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
    """A folder without the pictures that scores were fitted on or weighed by: they remember them.

    Files that cannot be read stay, so that who looks at them tells why.

    Args:
        folder: Of what is known, or of what is not.
        learned: What was fitted on.
        say: Told how many are left out.

    Raises:
        UsageError: If no picture is left.
    """
    taken = frozenset((*learned.pictures, *learned.tuning))
    new = [at for at, file in enumerate(folder.files) if _digest(file) not in taken]
    if not new:
        raise UsageError(
            f"{folder.path}: the scores were fitted on all of its pictures, which would look "
            "better than they are; name a folder of others"
        )
    if count := len(folder.files) - len(new):
        say(f"{folder.path}: left out: {count} pictures that the scores were fitted on")
    return replace(
        folder,
        files=tuple(folder.files[at] for at in new),
        labels=tuple(folder.labels[at] for at in new) if folder.labels else (),
    )


def _digest(file: str) -> str:
    """The beginning of a file's SHA-256; nothing if it cannot be read."""
    try:
        return file_sha256(Path(file))[:DIGITS]
    except OSError:
        return ""


def _digests(files: Sequence[str]) -> tuple[str, ...]:
    digests = tuple(map(_digest, files))
    if "" in digests:
        raise UsageError(
            f"{files[digests.index('')]}: cannot be read any more, so it would not be known as one "
            "that was fitted on; leave the pictures where they are and evaluate again"
        )
    return digests


def _packed(digests: Sequence[str]) -> NDArray[np.uint8]:
    """Digests as numbers [N, 8]."""
    return np.frombuffer(bytes.fromhex("".join(digests)), np.uint8).reshape(-1, DIGITS // 2)
