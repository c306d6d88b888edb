"""Rating a site from order to dictionary: with and without a language model, stopped, refused."""

import io
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from app.errors import StoppedError, UsageError
from app.progress import Meter, Reporter
from app.sites.rating.order import LEAST_PRIOR_AUC, RateOrder
from app.sites.rating.plan import plan_rating
from app.sites.rating.run import rate_site
from app.sites.rating.work import OPEN_RUN
from scenarios.dictionary import read_dictionary
from scenarios.drafting import draft
from scenarios.llm.transport import BudgetError, EndpointError
from scenarios.overlay import Edit, Overlay, write_overlay
from scenarios.ratings.files import read_site_ratings
from scenarios.ratings.records import Backend, RatingError
from scenarios.ratings.result import NounRating
from scenarios.settings import Settings
from scenarios.site import ScenarioError, create, find_scenario
from tests.app.short_watch import run_nomaly
from tests.app.sites.rating.builders import (
    NAME,
    digits,
    labelled,
    lend_cache,
    small_site_dictionary,
)
from tests.peers.llm_server import llm_server

QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Word vectors that all tests share; they take seconds to make."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def order(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> RateOrder:
    lend_cache(monkeypatch, tmp_path / "home", cache)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    dictionary = small_site_dictionary(tmp_path / "object_nouns.json")
    return RateOrder(NAME, "prior", root=tmp_path / "sites", dictionary=dictionary)


class CtrlC(Reporter):
    """Somebody presses Ctrl-C once, before anything is asked."""

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Meter]:
        with super().task(label, total) as meter:
            if label == "asking about nouns":
                signal.raise_signal(signal.SIGINT)
            yield meter


def sidecar(order: RateOrder) -> dict[str, NounRating]:
    path = find_scenario(order.name, order.root).ratings_path
    return {noun.target_noun: noun for noun in read_site_ratings(path).nouns}


def test_the_prior_rates_without_any_model(order: RateOrder):
    rated = rate_site(order, QUIET)
    nouns = sidecar(order)
    assert rated.rated == len(nouns) == len(read_dictionary(rated.output).entries)
    assert (rated.requests, rated.cost_usd, rated.unrated) == (0, 0.0, 0)
    assert rated.auc_examples is not None
    assert rated.auc_examples >= LEAST_PRIOR_AUC
    assert all("prior" in noun.flags for noun in nouns.values())
    # Examples are the owner's word.
    settings = find_scenario(NAME, order.root).settings
    assert nouns[settings.examples.seen[0]].rating >= 9
    assert nouns[settings.examples.never[0]].rating == 1
    assert not (find_scenario(NAME, order.root).work_folder / OPEN_RUN).exists()


def test_a_site_without_examples_is_refused_before_anything_is_read(
    order: RateOrder, tmp_path: Path
):
    create(tmp_path / "sites" / "hall", draft(Settings(version=1, name="hall", description="A.")))
    for refused in (rate_site, plan_rating):
        with pytest.raises(RatingError, match=r"names 0 examples .* and 0 .*8 of each are needed"):
            refused(replace(order, name="hall", dictionary=tmp_path / "none.json"), QUIET)


def test_with_a_limit_the_prior_judges_and_embeds_only_those(order: RateOrder):
    limited = rate_site(replace(order, limit=5), QUIET)
    nouns = sidecar(order)
    judged = {noun.target_noun for noun in nouns.values() if "prior" in noun.flags}
    examples = find_scenario(NAME, order.root).settings.examples
    known = {*examples.seen, *examples.never}
    assert limited.rated == len(judged) < len(nouns)
    assert len(judged - known) <= 5
    assert known <= judged


def test_a_rating_is_told_by_nouns(order: RateOrder):
    rated = rate_site(order, QUIET)
    labels, said = labelled(), find_scenario(NAME, order.root).settings
    assert 1 <= len(rated.more) <= 10
    assert 1 <= len(rated.less) <= 10
    assert not {*rated.more, *rated.less} & {*said.examples.seen, *said.examples.never}
    seen = [noun for noun in rated.more if noun in labels["seen"]]
    assert len(seen) > len([noun for noun in rated.more if noun in labels["never"]])
    assert rated.as_json()["more"] == list(rated.more)


def test_a_site_remembers_its_dictionary(order: RateOrder, tmp_path: Path):
    first = rate_site(order, QUIET).output.read_bytes()
    told = io.StringIO()
    again = rate_site(replace(order, dictionary=None), Reporter(Console(file=told, width=400)))
    assert again.output.read_bytes() == first
    assert f"Starting from {order.dictionary}, as at the last rating." in told.getvalue()
    site = find_scenario(NAME, order.root)
    noted = read_site_ratings(site.ratings_path).provenance["dictionary"]
    assert isinstance(noted, dict)
    assert noted["path"] == str(order.dictionary)
    assert order.dictionary is not None
    order.dictionary.unlink()
    with pytest.raises(UsageError, match="which is not there any more; put it back"):
        rate_site(replace(order, dictionary=None), QUIET)


def test_a_dictionary_in_the_sites_folder_moves_with_it(order: RateOrder, tmp_path: Path):
    site = find_scenario(NAME, order.root)
    assert order.dictionary is not None
    inside = order.dictionary.rename(site.folder / "words.json")
    first = rate_site(replace(order, dictionary=inside), QUIET).output.read_bytes()
    site.folder.rename(tmp_path / "moved")
    moved = replace(order, name=str(tmp_path / "moved"), dictionary=None)
    assert rate_site(moved, QUIET).output.read_bytes() == first


def test_a_language_model_is_asked_once_and_for_all(order: RateOrder):
    with llm_server(digits()) as server:
        asked = replace(order, backend="direct", base_url=server.url, model="rater")
        rated = rate_site(asked, QUIET)
        calls = server.stat().calls
        first = rated.output.read_bytes()
        again = rate_site(asked, QUIET)
        assert server.stat().calls == calls
    assert again == rated
    assert rated.output.read_bytes() == first
    assert rated.auc_examples == 1.0
    assert rated.requests == calls
    assert rated.tokens_in > 0
    assert rated.cost_usd == pytest.approx((0.15 * rated.tokens_in + 0.6 * rated.tokens_out) / 1e6)
    nouns, labels = sidecar(order), labelled()
    known = {noun: nouns[noun].rating for noun in nouns}
    seen = [known[noun] for noun in labels["seen"] if noun in known]
    never = [known[noun] for noun in labels["never"] if noun in known]
    assert min(seen) > max(never)


def test_direct_and_batch_share_their_answers(order: RateOrder):
    with llm_server(digits()) as server:
        batch = replace(order, backend="batch", base_url=server.url, model="rater")
        rated = rate_site(batch, QUIET)
        paid = server.stat().paid
        direct = rate_site(replace(batch, backend="direct"), QUIET)
        assert server.stat().paid == paid
    assert direct.ft == rated.ft
    assert rated.cost_usd == pytest.approx((0.075 * rated.tokens_in + 0.3 * rated.tokens_out) / 1e6)


@pytest.mark.parametrize("backend", ["direct", "batch"])
def test_one_ctrl_c_is_enough_and_the_next_run_goes_on(order: RateOrder, backend: Backend):
    told = io.StringIO()
    with llm_server(digits()) as server:
        asked = replace(order, backend=backend, base_url=server.url, model="rater")
        server.batches.seconds, soon = 3600, server.batches.seconds
        with pytest.raises(StoppedError, match="the same command goes on from here"):
            rate_site(asked, CtrlC(Console(file=told)))
        assert server.stat().batches == (backend == "batch")
        server.batches.seconds = soon
        server.batches.due = dict.fromkeys(server.batches.due, 0.0)
        rated = rate_site(asked, QUIET)
        assert set(server.stat().paid.values()) == {1}
    assert rated.auc_examples == 1.0
    assert "stopping; what is done is saved" in told.getvalue()
    waits = "Stopping when the answers under way are kept" in told.getvalue()
    assert waits == (backend == "direct")


def test_edits_outlast_another_rating(order: RateOrder):
    rate_site(order, QUIET)
    site = find_scenario(NAME, order.root)
    write_overlay(
        site.overlay_path,
        Overlay({"thimble": Edit(rating=9.5), "idea": Edit(excluded=True, note="no object")}),
    )
    with llm_server(digits()) as server:
        rated = rate_site(
            replace(order, backend="direct", base_url=server.url, model="rater"), QUIET
        )
    assert sidecar(order)["thimble"].rating == 9.5
    assert sidecar(order)["idea"].excluded == "excluded by hand: no object"
    assert "idea" not in read_dictionary(rated.output).targets


def test_swapped_examples_are_refused_and_nothing_is_written(order: RateOrder):
    site = find_scenario(NAME, order.root)
    settings = yaml.safe_load(site.file.read_text())
    examples = settings["examples"]
    examples["seen"], examples["never"] = (
        examples["never"][:5] + examples["seen"][5:],
        examples["seen"][:5] + examples["never"][5:],
    )
    settings |= {"expected": [], "never_expected": []}
    site.file.write_text(yaml.safe_dump(settings))
    with pytest.raises(RatingError, match="examples"):
        rate_site(order, QUIET)
    assert not site.site_dictionary_path.exists()


def test_a_model_that_says_anything_is_refused(order: RateOrder):
    with llm_server(dict.fromkeys(digits(), 5)) as server:
        asked = replace(order, backend="direct", base_url=server.url, model="rater")
        with pytest.raises(RatingError, match="cannot be used"):
            rate_site(asked, QUIET)
    assert not find_scenario(NAME, order.root).site_dictionary_path.exists()


def test_an_unfinished_run_is_not_mixed_with_another(order: RateOrder):
    with llm_server(digits()) as server:
        asked = replace(
            order, backend="direct", base_url=server.url, model="rater", max_cost=0.0001
        )
        with pytest.raises(BudgetError, match="a higher limit"):
            rate_site(asked, QUIET)
        site = find_scenario(NAME, order.root)
        text = site.file.read_text()
        site.file.write_text(text.replace("in Germany", "in France"))
        with pytest.raises(UsageError, match=r"unfinished: description \(.*Germany.*France"):
            rate_site(replace(asked, max_cost=None), QUIET)
        site.file.write_text(text)
        rate_site(replace(asked, max_cost=None), QUIET)
        site.file.write_text(text.replace("in Germany", "in France"))
        rate_site(replace(asked, max_cost=None), QUIET)  # nothing is open any more


def test_without_a_key_nothing_is_asked(order: RateOrder):
    with pytest.raises(UsageError, match="OPENAI_API_KEY is not set"):
        rate_site(replace(order, backend="direct"), QUIET)


def test_a_wrong_key_is_told_without_showing_it(order: RateOrder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")
    with llm_server(digits()) as server:
        server.key = "right"
        asked = replace(order, backend="direct", base_url=server.url)
        with pytest.raises(EndpointError) as told:
            rate_site(asked, QUIET)
    assert "canary-key" not in str(told.value)


def test_two_runs_at_once_on_one_site(order: RateOrder):
    from scenarios.lock import running

    site = find_scenario(NAME, order.root)
    with running(site.folder), pytest.raises(ScenarioError, match="another run"):
        rate_site(order, QUIET)


def test_the_command_ends_with_one_json_object(order: RateOrder):
    done = run_nomaly(
        *("scenario", "rate", NAME, "--root", str(order.root), "--backend", "prior"),
        *("--dictionary", str(order.dictionary), "--json"),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"rated", "unrated", "requests", "tokens_in", "tokens_out", "cost_usd"} <= told.keys()
    assert Path(told["output"]).is_file()
    assert told["auc_examples"] >= LEAST_PRIOR_AUC
