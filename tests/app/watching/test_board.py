from pathlib import Path

from app.events.event import Lasting
from app.sources.base import Gap, LiveStats, SourceInfo
from app.watching.board import Board, Station
from detectors.types import Box
from tests.app.builders import a_frame


class Playing:
    """A live source that has connected."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []

    @property
    def info(self) -> SourceInfo:
        return SourceInfo("hall", "rtsp://hall/1", (90, 160), 5.0, 0.0)

    @property
    def stats(self) -> LiveStats:
        return LiveStats(frames=3, dropped=1)


def lasting(x: float) -> Lasting:
    return Lasting("e1", 1.0, 1_000_000, 2.0, 3, ((1.0, Box(x, 10, x + 5, 20), 2.0),))


def test_who_asks_sees_the_newest_picture_with_what_is_open_by_its_headline():
    station = Station(Path("hall"), Playing())
    station.pulse.came(a_frame())
    assert station.newest(0, 0.0) is None
    station.told({"id": "e1", "headline": "person", "state": "opened"})
    station.looked(a_frame(1.0), [lasting(10.0)], 0.2)
    number, shown = station.newest(0, 0.0) or (0, None)
    assert shown is not None
    assert [(one.headline, one.box.x1) for one in shown.marked] == [("person", 10.0)]
    assert station.newest(number, 0.0) is None


def test_frames_are_counted_by_their_age_and_blind_times_told():
    source = Playing()
    station = Station(Path("hall"), source)
    station.pulse.came(a_frame())
    station.looked(a_frame(), [], 0.5)
    doing = station.doing()
    assert sum(doing.ages) == 1
    assert (doing.blind, doing.stats.dropped, doing.detector_s) == (None, 1, 0.5)
    source.gaps.append(Gap(1, None, "stalled", "no picture"))
    blind = station.doing().blind
    assert blind is not None
    assert blind.reason == "stalled"


def test_the_board_shows_a_camera_as_long_as_it_is_watched():
    board = Board()
    with board.showing(Station(Path("hall"), Playing())):
        assert [one.camera for one in board.stations()] == ["hall"]
    assert board.stations() == []
