"""How results of naming are told, in terminals and when Ctrl-C is pressed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.commands.name_tables import print_names
from app.commands.naming import guide_nouns, until_stopped
from app.errors import UsageError
from app.names.naming import NamedImage
from novic.vocabulary import NounScore


def test_what_was_named_before_ctrl_c_is_kept():
    def naming() -> Iterator[str]:
        yield from ("apple", "house")
        raise KeyboardInterrupt

    assert until_stopped(naming()) == (["apple", "house"], True)
    assert until_stopped(iter(["apple"])) == (["apple"], False)


@pytest.mark.parametrize("columns", ["60", "80"])
def test_a_long_path_is_shortened_at_its_beginning_in_a_terminal_and_never_in_a_pipe(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    path = "/usr/share/doc/opencv-doc/examples/data/of/many/folders/left01.jpg"
    named = [NamedImage(path, (NounScore("apple", 0.99), NounScore("pear", 0.01)))]
    monkeypatch.setenv("COLUMNS", columns)
    print_names(named)
    piped = capsys.readouterr().out
    assert piped.split("\t")[0] == path
    assert len(piped.splitlines()) == 1
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    print_names(named)
    row = capsys.readouterr().out.splitlines()[1]
    assert "…" in row
    assert "folders/left01.jpg" in row


def test_a_folder_in_place_of_a_list_of_nouns_is_told(tmp_path: Path):
    with pytest.raises(UsageError, match="text: Is a directory; name a file of nouns, one a line"):
        guide_nouns(tmp_path, "--nouns")
    (tmp_path / "photo.txt").write_bytes(b"\xff\xd8")
    with pytest.raises(UsageError, match=r"photo\.txt: cannot be read as text: is no UTF-8"):
        guide_nouns(tmp_path / "photo.txt")
