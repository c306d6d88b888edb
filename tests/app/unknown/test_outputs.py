"""What an evaluation of scores writes."""

import csv
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from app.errors import UsageError
from app.unknown.measuring import FIGURES, Measured, Row
from app.unknown.outputs import FILES, check_place, plot, write_all
from novic.intervals import Estimate

ESTIMATE = Estimate(0.9, 0.8, 0.95, 5)
DONE = Measured(
    [
        Row(
            name,
            {"<cats>": dict.fromkeys(FIGURES, ESTIMATE), "=dogs": dict.fromkeys(FIGURES, ESTIMATE)},
            np.array([0.1, 0.2]),
            {"<cats>": np.array([1 / 3]), "=dogs": np.array([0.5, 2.0])},
        )
        for name in ("knn", "rmd")
    ]
)
FILES_OF = {"<cats>": ["c.png"], "=dogs": ["d.png", "e.png"]}


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text().splitlines()))


def test_tables_and_plot_are_written(tmp_path: Path):
    write_all(tmp_path / "new" / "out", DONE, ["a.png", "b.png"], FILES_OF)
    out = tmp_path / "new" / "out"
    assert {file.name for file in out.iterdir()} == FILES
    figures = rows(out / "scores.csv")
    assert len(figures) == 4
    assert figures[0]["score"] == "knn"
    assert (figures[0]["auroc"], figures[0]["fpr_at_id95_low"]) == ("90.000", "80.000")
    assert (figures[1]["folder"], figures[1]["known"], figures[1]["others"]) == ("'=dogs", "2", "2")
    pictures = rows(out / "pictures.csv")
    assert [row["picture"] for row in pictures] == ["a.png", "b.png", "c.png", "d.png", "e.png"]
    assert float(pictures[2]["rmd"]) == pytest.approx(1 / 3)
    assert [row["folder"] for row in pictures] == ["", "", "<cats>", "'=dogs", "'=dogs"]


def test_the_plot_is_svg_with_a_mark_for_every_score_and_folder():
    drawn = ElementTree.fromstring(plot(DONE))  # noqa: S314 - we wrote it
    space = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{space}circle")) == 4
    assert "<cats>" in [text.text for text in drawn.findall(f"{space}text")]
    ElementTree.fromstring(plot(Measured([])))  # noqa: S314


def test_a_place_with_other_files_is_refused(tmp_path: Path):
    check_place(tmp_path / "none", overwrite=False)
    check_place(tmp_path, overwrite=False)
    (tmp_path / "scores.csv").touch()
    with pytest.raises(UsageError, match="holds an earlier evaluation"):
        check_place(tmp_path, overwrite=False)
    check_place(tmp_path, overwrite=True)
    (tmp_path / "letter.txt").touch()
    with pytest.raises(UsageError, match=r"no such evaluation wrote \(letter.txt, ...\)"):
        check_place(tmp_path, overwrite=True)
    with pytest.raises(UsageError, match="is a file"):
        check_place(tmp_path / "letter.txt", overwrite=True)
    with pytest.raises(UsageError, match="cannot be made"):
        write_all(tmp_path / "letter.txt" / "out", DONE, [], {})
