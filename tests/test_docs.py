"""The documents must say what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REFERENCES = ROOT / "docs" / "references"
ROOMS = ("nomaly", "app", "scenarios", "detectors", "novic", "training", "calibration")
READ = {".py", ".md", ".yaml", ".sql", ".js", ".j2"}

SIGN = chr(0xA7)
NUMBER = SIGN + r"(\d+(?:\.\d+)?)"
CITATION = re.compile(rf"(\w+_\w+) {NUMBER}(?:(?:, | and | to ){NUMBER})*")
"""A document and its sections, numbers after the sign: one, several, or from one to another."""


def texts() -> list[Path]:
    folders = [ROOT / name for name in (*ROOMS, "tests", "benchmarks", "docs", ".ci")]
    inside = [file for folder in folders for file in folder.rglob("*")]
    return sorted(
        file
        for file in [*ROOT.glob("*.md"), ROOT / "pyproject.toml", *inside]
        if file.suffix in {*READ, ".toml"} and file.is_file()
    )


def one_line(file: Path) -> str:
    """A text with its lines joined, as a citation may be broken where a line ends."""
    return re.sub(r"\s*\n[\s#]*", " ", file.read_text())


def citations(text: str) -> list[tuple[str, str]]:
    """Document and section, for every section that is cited with its document."""
    return [
        (found[1], section)
        for found in CITATION.finditer(text)
        for section in re.findall(NUMBER, found[0])
    ]


def sections(document: Path) -> set[str]:
    return set(re.findall(r"^#+ (\d+(?:\.\d+)?)\b", document.read_text(), re.MULTILINE))


def test_a_citation_is_read_over_the_end_of_a_line(tmp_path: Path):
    file = tmp_path / "code.py"
    file.write_text(
        f"# as some_spec {SIGN}1.6 to {SIGN}1.8,\n# {SIGN}2 and other_spec\n# {SIGN}7 say"
    )
    found = citations(one_line(file))
    some = [("some_spec", section) for section in ("1.6", "1.8", "2")]
    assert found == [*some, ("other_spec", "7")]


def test_every_cited_section_is_in_the_references():
    there = {file.stem: sections(file) for file in REFERENCES.glob("*.md")}
    cited = {
        (str(file.relative_to(ROOT)), document, section)
        for file in texts()
        for document, section in citations(one_line(file))
    }
    assert len(cited) > 50
    lost = sorted(one for one in cited if one[2] not in there.get(one[1], set()))
    assert lost == []


def test_a_section_is_never_cited_without_its_document():
    bare = [
        str(file.relative_to(ROOT))
        for file in texts()
        if file.parent != REFERENCES and SIGN in CITATION.sub("", one_line(file))
    ]
    assert bare == []


@pytest.mark.parametrize("document", sorted(REFERENCES.glob("*_*.md")), ids=lambda file: file.stem)
def test_references_refer_to_sections_of_their_own(document: Path):
    own = CITATION.sub("", one_line(document))
    assert set(re.findall(NUMBER, own)) <= sections(document)
