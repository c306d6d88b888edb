"""Damaged files of weights and tokens are told in a sentence, whatever torch says of them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from novic.clipn.errors import ClipnError
from novic.clipn.released import read_released as read_clipn
from novic.errors import NomalyError
from novic.tagood.errors import TagoodError
from novic.tagood.released import read_released as read_tagood
from novic.tagood.token_files import read_tokens
from novic.weight_files import read_saved

READERS: dict[str, tuple[Callable[[Path], object], type[NomalyError]]] = {
    "tokens": (read_tokens, TagoodError),
    "tagood": (read_tagood, TagoodError),
    "clipn": (read_clipn, ClipnError),
}


def old_file(path: Path) -> bytes:
    """What torch wrote before it took zip files."""
    torch.save([[1], [0.5], torch.rand(4)], path, _use_new_zipfile_serialization=False)
    return path.read_bytes()


def without_storage(path: Path) -> bytes:
    """One whose list of storages names another than its tensor has."""
    good = old_file(path)
    last = list(re.finditer(rb"\d{6,}", good))[-1]
    return good[: last.start()] + b"x" + good[last.start() + 1 :]


DAMAGED: dict[str, tuple[Callable[[Path], bytes], type[Exception]]] = {
    "nothing to take": (lambda path: b"\x80\x02\x85.", IndexError),
    "cut in a number": (lambda path: b"\x80\x02X\x01.", Exception),
    "no storage": (without_storage, AssertionError),
    "empty": (lambda path: b"", EOFError),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("fault", DAMAGED)
def test_a_damaged_file_is_told_in_a_sentence(reader: str, fault: str, tmp_path: Path):
    read, told = READERS[reader]
    make, cause = DAMAGED[fault]
    path = tmp_path / "a.pt"
    path.write_bytes(make(path))
    with pytest.raises(told, match=r"^\S+a\.pt: cannot be read: [^\n]+$") as found:
        read(path)
    assert isinstance(found.value.__cause__, cause)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
def test_a_file_that_was_cut_off_anywhere_is_told(old: bool, tmp_path: Path):
    path = tmp_path / "a.pt"
    content = [[1], [0.5], torch.rand(4), torch.rand(2, 3)]
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    whole = path.read_bytes()
    assert len(read_saved(path, TagoodError)) == 4
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(TagoodError, match=r"cannot be read|is damaged"):
            read_saved(path, TagoodError)
