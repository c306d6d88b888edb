"""A decoder bundle: one folder that names nouns without tokenizer, hub or pickle.

    bundle.json           format, sizes, embedder id, provenance, metrics, SHA-256 of the others
    nouns.json            the noun table: nouns in order, and for each the kinds that it is one of
                          and, if the decoder is a site's, how frequent it is there
    decoder.safetensors   the decoder's weights and the nouns' compact tokens
    certainty.json        from which p on a name is told as a fact, if that was measured

The trie is built from the tokens on loading, in milliseconds; storing it would store them twice.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from novic.bundle_checks import check_finite, check_tokens, checked_sizes, checked_table, said_as
from novic.certainty import CERTAINTY, Certainty, read_certainty
from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.digest import file_sha256
from novic.errors import NomalyError, UsageError
from novic.json_files import CARD_BYTES, read_json
from novic.tokens import NounTokens
from novic.trie import Trie, build_trie

FORMAT = "nomaly-decoder"
VERSION = 1
CARD = "bundle.json"
NOUNS = "nouns.json"
WEIGHTS = "decoder.safetensors"
SUMS = {WEIGHTS: "weights_sha256", NOUNS: "nouns_sha256"}
"""Where bundle.json keeps the SHA-256 of each of the other files."""
CARD_SUM = "card_sha256"
"""Where bundle.json keeps the SHA-256 of what it says itself."""

_TABLES = ("nouns.tokens", "nouns.source_ids")


class BundleError(NomalyError):
    """A bundle cannot be read or written; the text names the file and the fault."""

    exit_code = 4


@dataclass(frozen=True, eq=False)
class Bundle:
    """A decoder and everything that turns its tokens into nouns."""

    decoder: PrefixedDecoder
    tokens: NounTokens
    embedder: str
    """Spec of the embedder whose vectors it reads, for example `starter`."""
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    """How that embedder prepared its images and texts, for people and for checks."""
    hypernyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a noun the kinds it is one of, nearest first."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    frequencies: Mapping[str, int] | None = None
    """Of every noun, how frequent it is where the decoder is used (a site's dictionary), at least
    1; None if nobody said."""
    certainty: Certainty = field(default_factory=Certainty)
    """When its best noun is told as a fact. Measured on a bundle that was saved, not saved with it:
    other weights want another measurement."""

    def __post_init__(self) -> None:
        """Refuse frequencies that are not those of the nouns.

        Raises:
            ValueError: If one is missing, too many, or no whole number from 1.
        """
        if self.frequencies is None:
            return
        if set(self.frequencies) != set(self.tokens.nouns):
            odd = sorted(set(self.frequencies) ^ set(self.tokens.nouns))[0]
            raise ValueError(
                f"frequencies and nouns differ: '{odd}' is among one of them only; "
                "give a frequency for every noun of the bundle and for no other"
            )
        for noun, frequency in self.frequencies.items():
            if type(frequency) is not int or frequency < 1:
                raise ValueError(
                    f"the frequency of '{noun}' is {frequency!r}, not a whole number from 1"
                )

    @cached_property
    def _all_frequencies(self) -> int:
        return sum((self.frequencies or {}).values())

    def surprise_bits(self, noun: str) -> float | None:
        """How unexpected a noun is here: -log2 of its share of all frequencies.

        Returns:
            Bits from 0; None for a noun of unknown frequency.
        """
        if self.frequencies is None or noun not in self.frequencies:
            return None
        return math.log2(self._all_frequencies / self.frequencies[noun])

    def trie(self) -> Trie:
        """The tree of all nouns, on the decoder's device."""
        return build_trie(self.tokens.tokens).to(self.decoder.token_table.weight.device)


def save_bundle(path: Path, bundle: Bundle, *, half: bool = True) -> None:
    """Write a bundle into a folder.

    Args:
        path: The folder; made if missing, its bundle files replaced.
        bundle: What to write.
        half: Store weights as float16: half the size, loaded back as float32.
    """
    path.mkdir(parents=True, exist_ok=True)
    dtype = torch.float16 if half else torch.float32
    tensors = {
        name: weight.detach().to("cpu", dtype).contiguous()
        for name, weight in bundle.decoder.state_dict().items()
    }
    tensors["nouns.tokens"] = torch.from_numpy(bundle.tokens.tokens).to(torch.int32)
    tensors["nouns.source_ids"] = torch.from_numpy(bundle.tokens.source_ids).to(torch.int32)
    save_file(tensors, path / WEIGHTS)
    table = _table(bundle)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in table)
    (path / NOUNS).write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    # safetensors lets only the owner read; a bundle is for whoever may read its folder.
    shutil.copymode(path / NOUNS, path / WEIGHTS)
    card = {
        "format": FORMAT,
        "version": VERSION,
        "embedder": bundle.embedder,
        "preprocessing": dict(bundle.preprocessing),
        "decoder": asdict(bundle.decoder.config),
        "nouns": len(table),
        "parameters": sum(weight.numel() for weight in bundle.decoder.parameters()),
        **{key: file_sha256(path / name) for name, key in SUMS.items()},
        "provenance": dict(bundle.provenance),
        "metrics": dict(bundle.metrics),
    }
    card[CARD_SUM] = _card_sum(card)
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (path / CARD).write_text(f"{text}\n", encoding="utf-8")
    # What was measured on the weights that were here before.
    (path / CERTAINTY).unlink(missing_ok=True)


def check_place(path: Path, *, overwrite: bool) -> None:
    """Make sure that a new bundle may take a place.

    Raises:
        UsageError: If something is there; with `overwrite`, if it is anything but a bundle.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: exists already; name a new folder or say --overwrite")
    if path.exists() and not _is_only_bundle(path):
        raise UsageError(f"{path}: is not a bundle alone, so it stays; name a new folder")


def save_new_bundle(path: Path, bundle: Bundle, *, half: bool, overwrite: bool) -> None:
    """Write a bundle into a folder of its own, whole or not at all.

    Args:
        path: The folder; see `check_place`.
        bundle: What to write.
        half: See `save_bundle`.
        overwrite: Replace the bundle that is there.

    Raises:
        UsageError: If the place is taken.
        BundleError: If it cannot be written; what was there stays.
    """
    check_place(path, overwrite=overwrite)
    path = path.absolute()
    part, earlier = (path.with_name(f".{path.name}.{end}") for end in ("part", "earlier"))
    try:
        shutil.rmtree(part, ignore_errors=True)
        save_bundle(part, bundle, half=half)
        if path.exists():
            path.rename(earlier)
        part.rename(path)
    except (OSError, SafetensorError) as error:
        raise BundleError(f"{path}: cannot be written: {error}") from error
    finally:
        if earlier.exists() and not path.exists():
            earlier.rename(path)
        for rest in (part, earlier):
            shutil.rmtree(rest, ignore_errors=True)


def _is_only_bundle(path: Path) -> bool:
    return path.is_dir() and {entry.name for entry in path.iterdir()} <= {
        CARD,
        NOUNS,
        WEIGHTS,
        CERTAINTY,
    }


def load_bundle(path: Path, device: torch.device | None = None) -> Bundle:
    """Read a bundle.

    Args:
        path: The bundle's folder.
        device: Where the decoder goes; CPU by default.

    Returns:
        The bundle, its decoder in eval mode with float32 weights.

    Raises:
        BundleError: If a file is missing, damaged, or of another format.
    """
    card = read_card(path)
    try:
        _check_sums(path, card)
        table = checked_table(read_json(path / NOUNS))
        config, weights, tokens = _read_weights(path / WEIGHTS, card, [row[0] for row in table])
        decoder = PrefixedDecoder(config)
        decoder.load_state_dict({name: weight.float() for name, weight in weights.items()})
        return Bundle(
            decoder.to(device or torch.device("cpu")).eval(),
            tokens,
            said_as(card, "embedder", str),
            said_as(card, "preprocessing", dict),
            {noun: tuple(kinds) for noun, kinds, *_ in table if kinds},
            said_as(card, "provenance", dict),
            said_as(card, "metrics", dict),
            _frequencies(table),
            read_certainty(path, card["weights_sha256"]),
        )
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        ArithmeticError,
        UsageError,
        SafetensorError,
        RuntimeError,
    ) as error:
        raise BundleError(f"{path}: not a readable decoder bundle: {error}") from error


def _read_weights(
    file: Path, card: Mapping[str, Any], nouns: Sequence[str]
) -> tuple[DecoderConfig, dict[str, Tensor], NounTokens]:
    """Sizes, weights and tokens, once it is sure that they fit each other.

    Raises:
        ValueError, TypeError, KeyError, UsageError: If they do not.
        SafetensorError: If the file is damaged.
    """
    with safe_open(file, "pt") as opened:
        names = set(opened.keys())
        shapes = {name: opened.get_slice(name).get_shape() for name in names}
        # Before a weight is read: sizes that lie would take memory without end.
        config = checked_sizes(
            card["decoder"], {name: shapes[name] for name in names - set(_TABLES)}
        )
        tensors = {name: opened.get_tensor(name) for name in names}
    tables = [tensors.pop(name) for name in _TABLES]
    if any(table.is_floating_point() or table.is_complex() for table in tables):
        raise ValueError("tokens are no whole numbers")
    tokens = NounTokens(tuple(nouns), *(table.long().numpy() for table in tables))
    if len(nouns) != len(tokens.tokens):
        raise ValueError(
            f"nouns.json holds {len(nouns)} nouns and {WEIGHTS} {len(tokens.tokens)}; "
            "copy the whole folder again"
        )
    check_tokens(tokens, config)
    check_finite(tensors)
    return config, tensors, tokens


def read_card(path: Path) -> dict[str, Any]:
    """Read a bundle's bundle.json without its weights.

    Raises:
        BundleError: If it is missing, damaged, or of another format or version.
    """
    file = path / CARD
    try:
        card = read_json(file, CARD_BYTES)
    except FileNotFoundError as error:
        raise BundleError(f"{path}: no decoder bundle here (bundle.json is missing)") from error
    except (OSError, ValueError) as error:
        raise BundleError(f"{file}: cannot be read: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BundleError(f"{file}: not a Nomaly decoder bundle")
    if card.get("version") != VERSION:
        raise BundleError(
            f"{file}: bundle version {card.get('version')}, this Nomaly reads version {VERSION}; "
            "update Nomaly or train the bundle again"
        )
    # The first bundles don't tell the sum of their card.
    if CARD_SUM in card and _card_sum(card) != card[CARD_SUM]:
        raise BundleError(
            f"{file}: what it says does not match its own SHA-256 ({CARD_SUM}); "
            "the file was changed or damaged, copy the whole folder again"
        )
    return card


def file_hashes(path: Path) -> dict[str, str]:
    """SHA-256 of each file of a bundle, as the files are now.

    Raises:
        BundleError: If one is missing.
    """
    try:
        return {name: file_sha256(path / name) for name in (CARD, NOUNS, WEIGHTS)}
    except OSError as error:
        raise BundleError(f"{path}: not a whole decoder bundle: {error}") from error


def _table(bundle: Bundle) -> list[list[Any]]:
    """Rows of nouns.json: noun, kinds, and the frequency if it is known."""
    table: list[list[Any]] = [
        [noun, list(bundle.hypernyms.get(noun, ()))] for noun in bundle.tokens.nouns
    ]
    if bundle.frequencies is not None:
        for row in table:
            row.append(bundle.frequencies[row[0]])
    return table


def _frequencies(table: list[list[Any]]) -> dict[str, int] | None:
    """Frequencies of a noun table; None if its rows hold none.

    Raises:
        ValueError: If only some rows do, or a row has another length.
    """
    lengths = {len(row) for row in table}
    if lengths == {2}:
        return None
    if lengths != {3}:
        raise ValueError(f"{NOUNS}: rows must all have 2 or all have 3 columns")
    return {noun: frequency for noun, _, frequency in table}


def _check_sums(path: Path, card: dict[str, Any]) -> None:
    """Refuse files that are not those the bundle was saved with."""
    for name, key in SUMS.items():
        # The first bundles tell the sum of their weights only.
        if key == "nouns_sha256" and key not in card:
            continue
        if file_sha256(path / name) != card[key]:
            raise BundleError(
                f"{path / name}: its SHA-256 is not the one in {CARD}; "
                "the file is damaged or from another bundle, copy the whole folder again"
            )


def _card_sum(card: Mapping[str, Any]) -> str:
    """SHA-256 of a card but for the sum itself, whatever its layout and order."""
    said = {key: value for key, value in card.items() if key != CARD_SUM}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
