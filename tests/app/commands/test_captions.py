"""`nomaly captions` against a server on this machine."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from app.names.captioning import CaptionOrder, have_captions_written, plan_captions
from app.progress import Reporter
from scenarios.dictionary import write_dictionary
from scenarios.llm.costs import DIRECT_PRICES
from tests.app.short_watch import run_nomaly, start_nomaly
from tests.scenarios.builders import small_dictionary
from tests.training.chat_server import chat_server, completion, good_captions
from training.captioning.rules import begin, estimate, read_answers
from training.texts.captions import read_captions


@pytest.fixture
def nouns(tmp_path: Path) -> Path:
    path = tmp_path / "object_nouns.json"
    write_dictionary(path, small_dictionary())
    return path


def last_line(done: subprocess.CompletedProcess[str]) -> dict:
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("command", ["write", "check"])
def test_help_has_an_example(command: str):
    done = run_nomaly("captions", command, "--help")
    assert f"nomaly captions {command}" in done.stdout.split("Example")[1]


def test_captions_are_written_and_checked(nouns: Path, tmp_path: Path):
    out = tmp_path / "captions.json"
    with chat_server() as server:
        where = ("--direct", "--base-url", server.url, "--model", "writer")
        done = run_nomaly("captions", "write", nouns, "-o", out, *where, "--json")
        calls = len(server.bodies)
    assert done.returncode == 0, done.stderr
    written = last_line(done)
    assert written == {
        "captions": str(out),
        "nouns": 6,
        "singular_captions": 360,
        "plural_captions": 220,
        "nouns_given_up": 0,
        "answers": calls,
        "input_tokens": 150 * calls,
        "output_tokens": 120 * calls,
    }
    checked = run_nomaly("captions", "check", out, "--dictionary", nouns, "--json")
    assert last_line(checked) == {
        "captions": str(out),
        "nouns": 6,
        "singular_captions": 360,
        "plural_captions": 220,
        "nouns_not_in_dictionary": 0,
        "nouns_without_captions": 0,
        "nouns_with_fewer_than_wanted": 0,
        "training_samples": 20 * sum(entry.total_freq for entry in small_dictionary().entries),
    }


def order(nouns: Path, out: Path, url: str, limit: int | None = None) -> CaptionOrder:
    return CaptionOrder(nouns, out, "writer", limit, url, True, 4, DIRECT_PRICES)


def test_a_limit_can_be_raised_later_and_nothing_is_asked_twice(nouns: Path, tmp_path: Path):
    out, quiet = tmp_path / "captions.json", Reporter(quiet=True)
    with chat_server() as server:
        few = have_captions_written(order(nouns, out, server.url, limit=2), quiet)
        assert list(read_captions(out)) == ["airplane", "suv"]
        assert few.nouns == 2
        full = have_captions_written(order(nouns, out, server.url), quiet)
        assert len(read_captions(out)) == 6
        calls = len(server.bodies)
        assert calls == estimate(begin(small_dictionary())).calls
        assert have_captions_written(order(nouns, out, server.url), quiet) == full
        assert len(server.bodies) == calls


def test_ctrl_c_keeps_the_answers_and_the_same_command_goes_on(nouns: Path, tmp_path: Path):
    out = tmp_path / "captions.json"
    log = tmp_path / "captions.json.answers.jsonl"
    with chat_server() as server:

        def slow(body: dict, call: int):
            time.sleep(0.1)
            return 200, {}, completion(good_captions(body, call))

        server.reply = slow
        words = ("--direct", "--parallel", "2", "--base-url", server.url)
        with start_nomaly("captions", "write", nouns, "-o", out, *words) as running:
            while not log.exists() or len(read_answers(log)) < 4:
                assert running.poll() is None
                time.sleep(0.02)
            running.send_signal(signal.SIGINT)
            _, told = running.communicate(timeout=20)
        kept = len(read_answers(log))
        assert running.returncode == 1
        assert f"stopped; {kept} answers are kept, the same command goes on" in told
        assert not out.exists()
        done = have_captions_written(order(nouns, out, server.url), Reporter(quiet=True))
    assert done.nouns_given_up == 0
    assert done.answers > kept


def test_ctrl_c_leaves_batches_where_they_are_and_the_same_command_collects_them(
    nouns: Path, tmp_path: Path
):
    out = tmp_path / "captions.json"
    with chat_server() as server:
        server.batches.seconds, soon = 3600, server.batches.seconds
        words = ("captions", "write", nouns, "-o", out, "--base-url", server.url)
        with start_nomaly(*words) as running:
            while not server.stat().batches:
                assert running.poll() is None
                time.sleep(0.02)
            running.send_signal(signal.SIGINT)
            _, told = running.communicate(timeout=20)
        assert running.returncode == 1
        assert "stopped; 0 answers are kept, the same command goes on" in told
        server.batches.seconds = soon
        server.batches.due = dict.fromkeys(server.batches.due, 0.0)
        assert run_nomaly(*words, "--quiet").returncode == 0
        assert server.stat().batches == 1
    assert len(read_captions(out)) == 6


def test_a_kill_loses_no_answer(nouns: Path, tmp_path: Path):
    out = tmp_path / "captions.json"
    log = tmp_path / "captions.json.answers.jsonl"
    with chat_server() as server:

        def slow(body: dict, call: int):
            time.sleep(0.05)
            return 200, {}, completion(good_captions(body, call))

        server.reply = slow
        words = ("--direct", "--parallel", "1", "--base-url", server.url, "--quiet")
        with start_nomaly("captions", "write", nouns, "-o", out, *words) as running:
            while not log.exists() or len(read_answers(log)) < 6:
                assert running.poll() is None
                time.sleep(0.02)
            running.kill()
        kept, asked = len(read_answers(log)), len(server.bodies)
        assert asked - kept <= 1
        have_captions_written(order(nouns, out, server.url), Reporter(quiet=True))
    assert len(server.bodies) - asked == estimate(begin(small_dictionary())).calls - kept
    assert len(read_captions(out)) == 6


def test_a_dry_run_asks_nobody(nouns: Path, tmp_path: Path):
    out = tmp_path / "captions.json"
    done = run_nomaly("captions", "write", nouns, "-o", out, "--dry-run")
    assert "airplane" in done.stdout
    assert "58 calls" in done.stdout
    assert "USD in batches" in done.stdout
    assert "less than 0.01 USD in batches at the prices of --input-price" in done.stdout
    assert "Nothing was asked. Without --dry-run the same command asks." in done.stdout
    prices = ("--input-price", "300", "--output-price", "1200")
    batches = run_nomaly("captions", "write", nouns, "-o", out, "--dry-run", "--json", *prices)
    plan = last_line(batches)
    assert plan["calls"] == 58
    price = (300 * plan["input_tokens"] + 1200 * plan["output_tokens"]) / 1e6
    assert plan["price_usd"] == pytest.approx(price / 2, abs=1e-3)
    direct = order(nouns, out, "")
    asked = plan_captions(direct).estimate
    cost = direct.asked_prices.cost(asked.input_tokens, asked.output_tokens)
    assert cost == pytest.approx(price / 2000)
    assert [path.name for path in tmp_path.iterdir()] == ["object_nouns.json"]


def test_faults_are_one_sentence(nouns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    out = tmp_path / "captions.json"
    done = run_nomaly("captions", "write", nouns, "-o", out)
    assert (done.returncode, "OPENAI_API_KEY is not set" in done.stderr) == (2, True)
    done = run_nomaly("captions", "write", nouns, "-o", out, "--base-url", "localhost:8000/v1")
    assert (done.returncode, "write the whole address, as http://" in done.stderr) == (2, True)
    out.write_text("[]")
    done = run_nomaly("captions", "write", nouns, "-o", out)
    assert (done.returncode, "made elsewhere; name another file" in done.stderr) == (2, True)
    done = run_nomaly("captions", "check", nouns)
    assert (done.returncode, "entry 1 (airplane), singular_captions" in done.stderr) == (1, True)


def test_the_key_is_sent_and_never_shown(
    nouns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with chat_server() as server:
        server.reply = lambda *_: (401, {}, {"error": {"message": "wrong key"}})
        options = ("-o", tmp_path / "c.json", "--direct", "--base-url", server.url, "--debug")
        done = run_nomaly("captions", "write", nouns, *options)
    assert done.returncode == 1
    assert "answered 401: it refuses the key (wrong key)" in done.stderr
    assert server.keys == {"Bearer sk-secret"}
    assert "sk-secret" not in done.stderr + done.stdout
