"""Mistakes are answered before anything heavy is imported, and with the right exit code."""

import json
import subprocess
import sys

import pytest

from tests.peers.pattern import numbered

CODE = """
import json, sys
from typer.testing import CliRunner
from app.cli import cli
from novic.errors import NomalyError
HEAVY = {"torch", "anomalib", "openvino"}
told = []
for words in json.loads(sys.argv[1]):
    before = HEAVY & sys.modules.keys()
    done = CliRunner().invoke(cli, words)
    fault = done.exception
    code = fault.exit_code if isinstance(fault, NomalyError) else done.exit_code
    heavy = sorted((HEAVY & sys.modules.keys()) - before)
    told.append([code, str(fault), heavy])
print(json.dumps(told))
"""
MISTAKES = [
    (2, "audit day.mp4", "Of "),
    (2, "audit none.mp4", "there is no such file"),
    (2, "audit rtsp://ann:secret@hall/1 --normal-first 3", "nomaly watch ADDRESS"),
    (2, "audit day.mp4 --normal rtsp://ann:secret@hall/1", "nomaly watch ADDRESS"),
    (2, "audit day.mp4 --normal-first 1000", "ends after"),
    (2, "audit day.mp4 --normal-from 5 --normal-for 1000", "ends after"),
    (2, "audit day.mp4 --normal-first 3 --fps -1", "must be above 0"),
    (2, "audit day.mp4 --normal-first 3 --device moon", "unknown device 'moon'"),
    (2, "audit day.mp4 --detector none", "there is no such folder"),
    (2, "audit day.mp4 --detector other", "another shape"),
    (4, "audit day.mp4 --normal-first 3 --model none", "no bundle or checkpoint"),
    (2, "audit day.mp4 --normal-first 3 --scenario nosuch", "no such scenario"),
    (2, "audit day.mp4 --normal-first 3 --detector-setting x=1", "x"),
    (2, "watch none.mp4 --learn 3", "there is no such file"),
    (2, "fit none.mp4", "there is no such file"),
    (2, "fit day.mp4 --seconds 1000", "ends after"),
    (2, "fit day.mp4 --out other", "exists already"),
    (2, "name none.jpg", "there is no such file"),
    (2, "name empty", "there are no images"),
    (2, "name http://ann:secret@hall/1.jpg", "nomaly watch ADDRESS"),
    (2, "name a.png --gencfg beam_q", "cannot read the part"),
    (4, "name a.png --model none", "no bundle or checkpoint"),
    (2, "decode none.npy", "there is no such file"),
    (2, "score none.json", "there is no such file"),
    (2, "evaluate ./none", "there is no such folder"),
    (2, "cache info none", "there is no such file"),
    (2, "cache nouns --dictionary none.json --ft 2 --out made", "there is no such file"),
    (2, "train --cache none --out made", "there is no such file"),
    (4, "model show none", "no bundle or checkpoint"),
    (4, "model convert none.train --out made", "no such checkpoint"),
    (2, "captions check none.json", "there is no such file"),
    (2, "annotate human none none.json", "there is no such file"),
    (2, "scenario rate nosuch", "no such scenario"),
    (2, "scenario build nosuch", "no such scenario"),
    (2, "scenario import none.zip", "there is no such file"),
    (2, "scenario dictionary show none.json apple", "there is no such file"),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, list[str]]]:
    """What each mistake is answered, all in one process that knew nothing before."""
    folder = tmp_path_factory.mktemp("contact")
    numbered(folder / "day.mp4", 300)
    (folder / "empty").mkdir()
    (folder / "a.png").write_text("no picture is looked at")
    facts = {"format": "nomaly-detector", "version": 1, "frame_size": [1000, 100]}
    (folder / "other").mkdir()
    (folder / "other" / "detector.json").write_text(json.dumps(facts))
    words = [words.split() for _, words, _ in MISTAKES]
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(words)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (folder / "made").exists()
    told = json.loads(done.stdout)
    return {asked: tuple(one) for (_, asked, _), one in zip(MISTAKES, told, strict=True)}


@pytest.mark.parametrize(
    ("code", "words", "said"), MISTAKES, ids=[words for _, words, _ in MISTAKES]
)
def test_a_mistake_is_answered_at_once(
    code: int, words: str, said: str, answers: dict[str, tuple[int, str, list[str]]]
):
    found, sentence, heavy = answers[words]
    assert said in sentence
    assert found == code
    assert "secret" not in sentence
    assert heavy == []
