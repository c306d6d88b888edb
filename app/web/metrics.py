"""Prometheus metrics, read from the board and the stores at the moment they are asked for.

No label is a noun: what things are called is without end. Where `camera` is a label, the figures of
stores are by the name of the store's folder, and those of the board by the camera's.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from itertools import accumulate

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from app.events.folders import StoreFolder
from app.watching.board import AGES_S, Board, Doing
from app.web.store_figures import StoreFigures


def metrics_router(board: Board, places: Callable[[], Sequence[StoreFolder]]) -> APIRouter:
    """Answers `/metrics` in Prometheus' text format, or OpenMetrics where that is asked for.

    Args:
        board: Of the cameras.
        places: Gives the stores that there are just now.
    """
    registry = CollectorRegistry()
    registry.register(_OfBoard(board))
    registry.register(_OfStores(places))
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": kind})

    return router


class _OfBoard(Collector):
    """How the cameras of this process do."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on the cameras."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures of this moment."""
        info = InfoMetricFamily("nomaly", "What runs.")
        info.add_metric([], {"version": version("nomaly")})
        yield info
        every = [station.doing() for station in self._board.stations()]
        yield from _counters(every)
        yield from _gauges(every)
        ages = HistogramMetricFamily(
            "nomaly_frame_age_seconds",
            "Age of frames when they had been looked at, from their capture on.",
            labels=["camera"],
        )
        for doing in every:
            ages.add_metric([doing.camera], _buckets(doing.ages), doing.age_sum_s)
        yield ages


def _counters(every: Sequence[Doing]) -> Iterator[Metric]:
    read = _counter("frames_read", "Frames that the camera delivered.", "camera")
    looked = _counter("frames_looked", "Frames that were looked at.", "camera")
    dropped = _counter(
        "frames_dropped",
        "Frames not looked at: replaced by a newer one, skipped to catch up, or damaged.",
        "camera",
        "reason",
    )
    again = _counter("camera_reconnects", "Connections tried after the first.", "camera")
    stage = _counter("stage_seconds", "Wall time that a stage took.", "camera", "stage")
    for one in every:
        read.add_metric([one.camera], one.stats.frames)
        looked.add_metric([one.camera], one.frames)
        dropped.add_metric([one.camera, "replaced"], one.stats.dropped)
        dropped.add_metric([one.camera, "skipped"], one.skipped)
        dropped.add_metric([one.camera, "damaged"], one.stats.corrupt)
        again.add_metric([one.camera], max(0, one.stats.attempts - 1))
        stage.add_metric([one.camera, "detector"], one.detector_s)
    yield from (read, looked, dropped, again, stage)


def _gauges(every: Sequence[Doing]) -> Iterator[Metric]:
    up = _gauge("camera_up", "Whether the camera delivers pictures that show something.", "camera")
    learns = _gauge("camera_learning", "Whether the normal view is being learned.", "camera")
    opened = _gauge("events_open", "Events that are open.", "camera")
    newest = _gauge("frame_newest_age_seconds", "Since the newest frame looked at.", "camera")
    for one in every:
        up.add_metric([one.camera], one.blind is None)
        learns.add_metric([one.camera], one.doing == "learning")
        opened.add_metric([one.camera], one.open)
        if one.age_s is not None:
            newest.add_metric([one.camera], one.age_s)
    yield from (up, learns, opened, newest)


class _OfStores(Collector):
    """What lies in the stores, and what waits there for sinks."""

    def __init__(self, places: Callable[[], Sequence[StoreFolder]]) -> None:
        self._places = places
        self._stores: dict[StoreFolder, StoreFigures] = {}

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on the stores."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures of this moment."""
        families = _store_families()
        for place in self._places():
            store = self._stores.setdefault(place, StoreFigures(place))
            for name, labels, value in store.figures():
                families[name].add_metric(labels, value)
        yield from families.values()


def _store_families() -> dict[str, CounterMetricFamily | GaugeMetricFamily]:
    return {
        "events": _counter("events", "Events that were stored.", "camera", "noun_state"),
        "muted": _counter("events_muted", "Events that were kept, not told.", "camera"),
        "blind": _counter("camera_gap_seconds", "Time of blindness.", "camera", "reason"),
        "gaps": _counter("camera_gaps", "Times of blindness that ended.", "camera", "reason"),
        "waits": _gauge("outbox_pending", "Messages a sink has not taken.", "camera", "sink"),
        "oldest": _gauge("outbox_oldest_seconds", "Since the oldest of them.", "camera", "sink"),
        "readable": _gauge("store_readable", "Whether the store can be read.", "camera"),
        "stored": _gauge("db_bytes", "Size of the store.", "camera"),
        "media": _gauge("media_bytes", "Size of the pictures beside it.", "camera"),
    }


def _counter(name: str, told: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"nomaly_{name}", told, labels=labels)


def _gauge(name: str, told: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"nomaly_{name}", told, labels=labels)


def _buckets(counts: Sequence[int]) -> list[tuple[str, float]]:
    """Upper bound and how many were below it, as Prometheus counts."""
    bounds = [*map(str, AGES_S), "+Inf"]
    return list(zip(bounds, map(float, accumulate(counts)), strict=True))
