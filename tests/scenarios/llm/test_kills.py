"""Rating runs killed with SIGKILL lose no answer, and pay for none that was not under way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.ratings.records import RawScores
from tests.peers.llm_model import Fault
from tests.peers.llm_server import LlmServer, llm_server
from tests.scenarios.llm.killing import (
    DIGITS,
    Case,
    Launcher,
    digits,
    fresh,
    kill_at_point,
    kill_at_random,
    launcher,
)
from tests.scenarios.llm.rate_script import Order

FAULTS = [
    Fault("delay", seconds=0.02),
    Fault("rate_limit", every=11, seconds=0.02),
    Fault("error_500", every=13),
    Fault("drop", every=17),
    Fault("cut_body", every=19),
    Fault("length", every=15, by="body"),
    Fault("malformed", every=16, by="body"),
    Fault("mismatched", every=17, by="body"),
    Fault("missing_keys", every=19, by="body"),
    Fault("refusal", every=21, by="body"),
    Fault("batch_failed", every=7),
    Fault("line_expired", every=23),
    Fault("line_code", every=29),
]

MANY = 110
"""Nouns of a run among faults."""


def order(server: LlmServer, folder: Path, count: int, parallel: int) -> Order:
    return Order(str(fresh(folder)), server.url, count, parallel)


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with launcher("direct", tmp_path_factory.mktemp("direct")) as launch:
        yield launch


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with launcher("batch", tmp_path_factory.mktemp("batch")) as launch:
        yield launch


def test_killed_at_every_save_point_one_by_one_requests_are_paid_once(
    tmp_path: Path, direct: Launcher
):
    """30 points and more: before and after every commit, and around the files of the store."""
    parallel, points, most = 3, 0, 0
    while True:
        with llm_server(DIGITS) as server:
            case = Case(server, order(server, tmp_path / "case", 36, parallel))
            if not kill_at_point(case, direct, points + 1):
                break
            points += 1
            most = max(most, case.most_in_flight)
            assert case.overpaid() == 0
    assert points >= 30
    assert most <= parallel


def test_killed_at_fifty_random_moments_among_faults_requests_are_paid_once(
    tmp_path: Path, direct: Launcher
):
    """The scores are those of a run that met the same faults and was not killed."""
    kills, parallel, cases = 0, 3, 0
    whole = undisturbed(direct, tmp_path, parallel)
    while kills < 50:
        with llm_server(DIGITS) as server:
            server.faults = FAULTS
            case = Case(server, order(server, tmp_path / f"case{cases}", MANY, parallel))
            kill_at_random(case, direct, 50 - kills, 0.5)
            kills, cases = kills + case.kills, cases + 1
            assert case.kills > 0
            assert case.scores() == whole
            assert case.overpaid() == 0
            assert case.most_in_flight <= parallel


def undisturbed(launch: Launcher, folder: Path, parallel: int) -> RawScores:
    """What a run comes to that meets faults and is not killed."""
    with llm_server(DIGITS) as server:
        server.faults = FAULTS
        case = Case(server, order(server, folder / "whole", MANY, parallel))
        kill_at_random(case, launch, 0, 0)
        assert case.overpaid() == 0
        scores = case.scores()
        # Some nouns may only ever have been in answers that were of no use.
        assert scores.nouns.items() <= digits(case.order).items()
        assert len(scores.nouns) > 0.9 * MANY
        return scores


def test_killed_around_the_saves_of_a_batch_nothing_is_paid_twice(tmp_path: Path, batch: Launcher):
    """Some of the points that `python -m benchmarks.kill_points` tries one and all."""
    for point in range(7, 60, 13):
        with llm_server(DIGITS) as server:
            case = Case(server, order(server, tmp_path / "case", 24, 6))
            assert kill_at_point(case, batch, point)
            assert case.paid_twice() == 0


def test_batches_killed_at_random_moments_among_faults_are_paid_once(
    tmp_path: Path, batch: Launcher
):
    whole = undisturbed(batch, tmp_path, 6)
    with llm_server(DIGITS) as server:
        server.faults = FAULTS
        case = Case(server, order(server, tmp_path / "case", MANY, 6))
        kill_at_random(case, batch, 6, 1.0)
        assert case.scores() == whole
        assert case.paid_twice() == 0
