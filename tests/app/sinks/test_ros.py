"""Detections that are published on a topic of ROS 2, as whoever subscribes reads them."""

import secrets
import sys
from pathlib import Path

import pytest

from app.events.outbox import Message
from app.ros.address import RosTopic
from app.ros.messages import Detection2DArray
from app.ros.topics import Subscription
from app.sinks.build import build_sink, parse_sink
from app.sinks.ros import RosConfig
from novic.extras import MissingPackageError
from tests.peers.consumer import wait_for

EVENT = {
    "event": "opened",
    "id": "065b3c2d1f0000-1a2b3c",
    "kind": "object",
    "end_us": 1_796_069_476_705_460,
    "box": [10.0, 20.0, 30.0, 60.0],
    "candidates": [["ladder", 0.8], ["stool", 0.1]],
}


def received(event: dict, tmp_path: Path) -> Detection2DArray:
    topic = RosTopic(secrets.randbelow(200), f"/n_{secrets.token_hex(4)}", "left_eye")
    subscription = Subscription(topic.domain, topic.dds_name, Detection2DArray, every=True)
    sink = build_sink(RosConfig(topic=topic), tmp_path)
    sink.tend()
    sink.send(Message(1, event))
    found: list[Detection2DArray] = []
    wait_for("the detection", lambda: bool(found) or bool(found.extend(subscription.take())))
    sink.close()
    return found[0]


def test_an_event_is_a_detection_with_its_box_names_and_the_stamp_of_its_frame(tmp_path: Path):
    message = received(EVENT, tmp_path)
    (one,) = message.detections
    assert one.id == EVENT["id"]
    assert (one.bbox.center.position.x, one.bbox.center.position.y) == (20.0, 40.0)
    assert (one.bbox.size_x, one.bbox.size_y) == (20.0, 40.0)
    named = [(each.hypothesis.class_id, each.hypothesis.score) for each in one.results]
    assert named == [("ladder", 0.8), ("stool", 0.1)]
    assert message.header.frame_id == "left_eye"
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (1_796_069_476, 705_460_000)


def test_a_fault_of_the_camera_is_no_detection(tmp_path: Path):
    assert received(EVENT | {"kind": "camera"}, tmp_path).detections == []


def test_a_topic_is_named_on_the_command_line(monkeypatch: pytest.MonkeyPatch):
    config = parse_sink("ros:ros://4/nomaly/found?frame_id=eye")
    assert isinstance(config, RosConfig)
    assert config.key == "ros:4/nomaly/found"
    monkeypatch.setitem(sys.modules, "cyclonedds", None)
    with pytest.raises(MissingPackageError, match=r"a topic of ROS 2 needs .*cyclonedds.*\[ros\]"):
        parse_sink("ros:ros://4/nomaly/found")
