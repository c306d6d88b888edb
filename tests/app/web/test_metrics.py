"""What Prometheus reads, by its own parser."""

from dataclasses import replace
from pathlib import Path

import httpx
from fastapi import FastAPI
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families

from app.events.folders import StoreFolder
from app.events.store import Store
from app.local_page import listen
from app.sources.base import Gap
from app.watching.board import Board, Station
from app.web.health import FRESH_S, health_router, readiness
from app.web.metrics import metrics_router
from app.web.served import served
from app.web.store_figures import StoreFigures
from tests.app.builders import a_frame
from tests.app.events.findings import a_camera_finding, a_finding, begin, changes
from tests.app.watching.test_board import Playing, lasting


def a_board() -> tuple[Board, Station, Playing]:
    source = Playing()
    station = Station(Path("hall"), source)
    station.pulse.came(a_frame())
    station.pulse.looked(a_frame(), 1, 2)
    station.pulse.doing = "watching"
    station.looked(a_frame(), [lasting(1.0)], 0.25)
    return Board(), station, source


def scrape(board: Board, folder: Path, accept: str = "") -> tuple[str, str]:
    page = FastAPI()
    page.include_router(metrics_router(board, lambda: [StoreFolder("hall", folder)]))
    with served(page, listen("127.0.0.1", 0)) as address:
        answer = httpx.get(f"{address}/metrics", headers={"accept": accept})
    return answer.text, answer.headers["content-type"]


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_prometheus_reads_board_and_store(tmp_path: Path):
    sink = "webhook:hooks.example-1234"
    with Store(tmp_path, sinks=[sink]) as store:
        run = begin(store, a_finding(1), a_finding(2), a_camera_finding(3))
        sure = replace(a_finding(4).event, candidates=(("cat", 0.9),), muted="normal here")
        gap = Gap(1_000_000, 3_500_000, "stalled", "no picture")
        store.save(run, changes(replace(a_finding(4), event=sure), gaps=[gap]))
    board, station, source = a_board()
    source.gaps.append(Gap(1, None, "stalled"))
    with board.showing(station):
        found = samples(scrape(board, tmp_path)[0])
    expected = {
        ("nomaly_events_total", "hall", "unsure"): 2,
        ("nomaly_events_total", "hall", "fault"): 1,
        ("nomaly_events_total", "hall", "sure"): 1,
        ("nomaly_events_muted_total", "hall"): 1,
        ("nomaly_camera_gap_seconds_total", "hall", "stalled"): 2.5,
        ("nomaly_camera_gaps_total", "hall", "stalled"): 1,
        ("nomaly_outbox_pending", "hall", sink): 4,
        ("nomaly_store_readable", "hall"): 1,
        ("nomaly_frames_read_total", "hall"): 3,
        ("nomaly_frames_looked_total", "hall"): 1,
        ("nomaly_frames_dropped_total", "hall", "replaced"): 1,
        ("nomaly_stage_seconds_total", "hall", "detector"): 0.25,
        ("nomaly_frame_age_seconds_count", "hall"): 1,
        ("nomaly_frame_age_seconds_bucket", "hall", "+Inf"): 1,
        ("nomaly_events_open", "hall"): 2,
        ("nomaly_camera_up", "hall"): 0,
        ("nomaly_camera_reconnects_total", "hall"): 0,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert found["nomaly_db_bytes", "hall"] > 10_000
    assert found["nomaly_media_bytes", "hall"] > 1000
    assert not any("cat" in key for key in found), "a noun is no label"


def test_openmetrics_is_given_to_who_asks_for_it(tmp_path: Path):
    with Store(tmp_path) as store:
        begin(store, a_finding(1))
    board, station, _ = a_board()
    with board.showing(station):
        text, kind = scrape(board, tmp_path, "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert {family.name for family in open_families(text)} >= {"nomaly_frames_read", "nomaly"}


def test_a_store_that_is_not_there_is_told_and_not_made(tmp_path: Path):
    found = samples(scrape(Board(), tmp_path / "none")[0])
    assert found["nomaly_store_readable", "hall"] == 0
    assert not (tmp_path / "none").exists()


def test_counters_never_go_down_though_retention_removes_events(tmp_path: Path):
    figures = StoreFigures(StoreFolder("hall", tmp_path))

    def counted() -> list[float]:
        return [value for name, _, value in figures.figures() if name in ("events", "blind")]

    with Store(tmp_path) as store:
        gap = Gap(1_000_000, 3_000_000, "stalled")
        run = begin(store, a_finding(1), a_finding(2))
        store.save(run, changes(gaps=[gap]))
        assert counted() == [2, 2.0]
        store._db.execute("DELETE FROM event WHERE id = ?", (a_finding(1).event.id,))
        store._db.execute("DELETE FROM gap")
        store._db.commit()
        assert counted() == [2, 2.0]
        store.save(run, changes(a_finding(3)))
        assert counted() == [3, 2.0]


def test_a_process_without_a_camera_lives_but_is_not_ready():
    page = FastAPI()
    page.include_router(health_router(Board()))
    with served(page, listen("127.0.0.1", 0)) as address:
        assert httpx.get(f"{address}/healthz").status_code == 200
        waits = httpx.get(f"{address}/readyz")
    assert waits.status_code == 503
    told = "no camera is connected yet: the models load, or no camera answers"
    assert waits.json() == {"ok": False, "seen": 0, "cameras": 0, "why": told}


def test_ready_is_who_has_a_camera_that_is_seen_by():
    board, station, source = a_board()
    with board.showing(station):
        assert readiness(board) == {"ok": True, "seen": 1, "cameras": 1, "why": "", "unseen": {}}
        source.gaps.append(Gap(1, None, "stalled", "no picture for 2 s"))
        told = readiness(board)
        assert told["unseen"] == {"hall": "no picture for 2 s"}
        assert (told["ok"], told["why"]) == (False, "no camera is seen by")
        assert "unseen" not in readiness(board, named=False)
        source.gaps.clear()
        late = a_frame(FRESH_S + 5)
        station.pulse.came(late)
        assert readiness(board)["unseen"] == {"hall": "its newest picture is 15 s old"}
        station.pulse.doing = "learning"
        assert readiness(board)["unseen"] == {"hall": "it learns the normal view"}
