"""Rating a site by a model on this machine: stopped by Ctrl-C, gone on with, by command."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from app.errors import StoppedError
from app.progress import Meter, Reporter
from app.sites.rating.order import RateOrder
from app.sites.rating.run import rate_site
from scenarios.dictionary import read_dictionary
from scenarios.paths import rating_store_path
from scenarios.raters.local.llama_server import LlamaServer
from scenarios.raters.local.wordings import QUESTION, cut
from scenarios.ratings.store import RatingStore
from scenarios.site import find_scenario
from tests.app.short_watch import run_nomaly, start_nomaly
from tests.app.sites.rating.builders import NAME, small_site_dictionary
from tests.scenarios.raters.local.tiny_gguf import write_tiny_model


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RateOrder:
    """A site whose owner agrees with a model of random weights."""
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path / "home"))
    dictionary = small_site_dictionary(tmp_path / "object_nouns.json")
    model = write_tiny_model(tmp_path / "tiny.gguf")
    order = RateOrder(NAME, "local", root=tmp_path / "sites", dictionary=dictionary, threads=1)
    file = find_scenario(NAME, order.root).file
    settings = yaml.safe_load(file.read_text())
    nouns = in_the_models_order(model, settings["description"], read_dictionary(dictionary).targets)
    settings["examples"] = {"seen": nouns[-8:], "never": nouns[:8]}
    file.write_text(yaml.safe_dump(settings | {"expected": [], "never_expected": []}))
    return replace(order, model_file=model)


def in_the_models_order(model: Path, description: str, nouns: tuple[str, ...]) -> list[str]:
    server = LlamaServer(model, threads=1)
    turns = QUESTION.conversation(description, ())
    prompt = cut(server.rendered(turns, answering=True), QUESTION)
    values = server.log_odds(prompt.prefix, [prompt.ending(noun) for noun in nouns])
    server.close()
    return sorted(nouns, key=dict(zip(nouns, values, strict=True)).__getitem__)


class CtrlC(Reporter):
    """Somebody presses Ctrl-C once a task is so far."""

    def __init__(self, label: str, at: int) -> None:
        super().__init__(quiet=True)
        self._label, self._at = label, at

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Meter]:
        meter = _Pressing(self.console, label, total)
        meter.at = self._at if label == self._label else None
        yield meter


class _Pressing(Meter):
    at: int | None = None

    def count(self, done: int, total: int, note: str = "") -> None:
        if self.at is not None and done >= self.at:
            signal.raise_signal(signal.SIGINT)


def kept() -> dict[str, list[str]]:
    """Nouns and examples that were judged, by role."""
    found: dict[str, list[str]] = {"noun": [], "positive": [], "negative": []}
    with RatingStore(rating_store_path()) as store:
        for asked in store.questions():
            for rating in store.ratings(asked.question):
                found[rating.role].append(rating.target_noun)
    return found


def test_ctrl_c_keeps_what_was_judged_and_the_next_run_goes_on(
    order: RateOrder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("scenarios.raters.local.rater.BLOCK", 8)
    with pytest.raises(StoppedError, match="goes on from here"):
        rate_site(order, CtrlC("choosing a wording", at=1))
    assert {kind: len(nouns) for kind, nouns in kept().items()} == {
        "noun": 0,
        "positive": 8,
        "negative": 8,
    }
    with pytest.raises(StoppedError, match="goes on from here"):
        rate_site(order, CtrlC("asking about nouns", at=16 + 8))
    before = kept()["noun"]
    assert len(before) == 8
    rated = rate_site(order, Reporter(quiet=True))
    nouns = read_dictionary(rated.output).targets
    after = kept()
    assert after["noun"][:8] == before
    examples = {*after["positive"], *after["negative"]}
    assert sorted([*after["noun"], *examples]) == sorted(nouns)
    assert (rated.auc_examples, rated.cost_usd) == (1.0, 0.0)


def command(order: RateOrder) -> list[str]:
    return [
        *("scenario", "rate", NAME, "--backend", "local", "--model-file", str(order.model_file)),
        *("--root", str(order.root), "--dictionary", str(order.dictionary)),
        *("--threads", "1", "--json"),
    ]


def test_killed_it_keeps_what_was_judged_and_the_next_run_goes_on(order: RateOrder):
    with start_nomaly(*command(order)) as rating:
        while not rating_store_path().exists() or not kept()["positive"]:
            assert rating.poll() is None
            time.sleep(0.01)
        rating.kill()
    before = kept()
    assert not find_scenario(NAME, order.root).ratings_path.exists()
    rated = rate_site(order, Reporter(quiet=True))
    after = kept()
    for role, nouns in before.items():
        assert after[role][: len(nouns)] == nouns
    # Each wording is tried on the examples, but a noun is asked about once.
    assert len(set(after["noun"])) == len(after["noun"])
    assert sorted({*after["noun"], *after["positive"], *after["negative"]}) == sorted(
        read_dictionary(rated.output).targets
    )
    assert rated.auc_examples == 1.0


def test_the_command_frees_the_model_and_ends(order: RateOrder):
    ended = run_nomaly(*command(order))
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["auc_examples"] == 1.0
    assert "AUC on the examples by wording: question 1.000" in ended.stderr
