import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.app.test_cli import run_nomaly

PARITY = Path(__file__).parents[2] / "data" / "parity"
VECTORS = PARITY / "embeddings_small.npy"
SMALL = PARITY / "small.train"
RECORDED = json.loads((PARITY / "expected_small.json").read_text())


def test_upstreams_answers_come_out_of_the_command():
    name = "beam_k10_vnone_gp_t1_a0"
    done = run_nomaly(
        "decode", VECTORS, "--model", SMALL, "--gencfg", name, "--exact-upstream", "--json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for ours, theirs in zip(found, RECORDED[name], strict=True):
        assert [noun for noun, _ in ours] == [noun for noun, _, _ in theirs]
        np.testing.assert_allclose(
            [score for _, score in ours], [score for _, score, _ in theirs], atol=1e-4
        )


def test_a_guide_is_read_and_what_it_cannot_say_is_told(tmp_path: Path):
    guide = tmp_path / "guide.txt"
    guide.write_text("# what flies\nT-Shirt\nice cream\nqqzzyx\n")
    done = run_nomaly(
        "decode", VECTORS, "--model", SMALL, "--gencfg", "all_gr", "--guide", guide, "--json"
    )
    assert done.returncode == 0, done.stderr
    assert "guide noun 'qqzzyx' is not in the vocabulary" in done.stderr
    for row in json.loads(done.stdout.splitlines()[-1]):
        assert {noun for noun, _ in row} == {"t shirt", "ice cream"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.npy", "--model", SMALL], 2, "none.npy: there is no such file"),
        ([VECTORS, "--model", "none.train"], 4, "none.train: there is no such checkpoint"),
        ([VECTORS, "--model", SMALL, "--gencfg", "beam_k0"], 2, "at least 1 noun"),
        ([VECTORS, "--model", SMALL, "--guide", "none.txt"], 2, "none.txt: cannot be read"),
        ([VECTORS], 2, "the decoder reads vectors \\[N, 384\\]"),
    ],
)
def test_faults_are_one_sentence(arguments: list, code: int, message: str):
    done = run_nomaly("decode", *arguments)
    assert done.returncode == code
    assert len(done.stderr.strip().splitlines()) == 1
    assert re.search(message, done.stderr)


def test_an_embedder_of_another_width_is_refused(tmp_path: Path):
    Image.new("RGB", (8, 8)).save(tmp_path / "dot.png")
    done = run_nomaly("name", tmp_path, "--model", SMALL, "--embedder", "starter")
    assert done.returncode == 4
    assert "the decoder reads 32 components" in done.stderr
    assert "'starter' gives 384" in done.stderr
