"""Topics of ROS 2 that are given each state of an event: detections, and the event as JSON."""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from app.events.outbox import Message
from app.ros.address import RosTopic
from app.sinks.base import SinkError
from novic.extras import needing

if TYPE_CHECKING:
    from app.ros.messages import Detection2DArray, String
    from app.ros.topics import Publication

FIRST_S = 2.0
"""How long a subscriber may take to be found."""
JSON = "/json"
"""Behind the topic of detections, the topic of events as JSON."""
_LOOK_S = 0.02


class RosConfig(BaseModel):
    """The topic to publish on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: ClassVar[str] = "ros://0/nomaly/detections?frame_id=camera"

    kind: Literal["ros"] = "ros"
    topic: RosTopic
    limit_s: float = 5.0
    """After so long without a receipt a subscriber counts as away."""

    @property
    def key(self) -> str:
        """`ros:`, the domain and the topic."""
        return f"{self.kind}:{self.topic.domain}{self.topic.name}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read ros://DOMAIN/TOPIC, perhaps with ?frame_id=NAME.

        Raises:
            ValueError: If it makes no sense.
            novic.extras.MissingPackageError: If the extra `ros` is not installed.
        """
        with needing("a topic of ROS 2"):
            import cyclonedds  # noqa: F401, PLC0415 - an extra
        return cls(topic=RosTopic.parse(text))


class RosSink:
    """Publishes vision_msgs/Detection2DArray on the topic and std_msgs/String on TOPIC/json.

    A message counts as delivered when at least one subscriber of either has confirmed it; where
    nobody subscribes it waits in the outbox.
    """

    def __init__(self, config: RosConfig) -> None:
        """Take the topic; it is announced with the first message."""
        self._config = config
        self._topics: tuple[Publication[Detection2DArray], Publication[String]] | None = None

    def tend(self) -> None:
        """Announce the topics, so that subscribers find them before there is anything to tell."""
        self._opened()

    def send(self, message: Message) -> None:
        """Publish a message.

        Raises:
            SinkError: If nobody subscribes, or who does has not confirmed it in time.
        """
        from app.ros.messages import String  # noqa: PLC0415 - an extra

        detections, texts = self._opened()
        self._wait_for_readers()
        name, taken = self._config.topic.name, 0
        if detections.readers:
            taken += detections.write(self._detections(message.body), self._config.limit_s)
        if texts.readers:
            text = json.dumps(message.as_json(), ensure_ascii=False)
            taken += texts.write(String(text), self._config.limit_s)
        if not taken:
            asked = detections.readers + texts.readers
            why = (
                "has not confirmed it in time" if asked else f"subscribes to it or to {name}{JSON}"
            )
            who = "the subscriber" if asked else "nobody"
            raise SinkError(f"{name}: cannot be delivered: {who} {why}")

    def close(self) -> None:
        """Take the topics back."""
        self._topics = None

    def _opened(self) -> "tuple[Publication[Detection2DArray], Publication[String]]":
        from app.ros.messages import Detection2DArray, String  # noqa: PLC0415 - an extra
        from app.ros.topics import Publication  # noqa: PLC0415 - an extra

        if self._topics is None:
            topic = self._config.topic
            self._topics = (
                Publication(topic.domain, topic.dds_name, Detection2DArray),
                Publication(topic.domain, f"{topic.dds_name}{JSON}", String),
            )
        return self._topics

    def _wait_for_readers(self) -> None:
        topics, until_s = self._opened(), time.monotonic() + FIRST_S
        while not any(topic.readers for topic in topics) and time.monotonic() < until_s:
            time.sleep(_LOOK_S)

    def _detections(self, event: Mapping[str, Any]) -> "Detection2DArray":
        """An event as scripts read it, as one detection; none of a camera's own fault."""
        from app.ros import messages  # noqa: PLC0415 - an extra

        stamp = messages.Time.of_us(event.get("end_us", 0))
        header = messages.Header(stamp, self._config.topic.frame_id)
        if event.get("kind", "object") != "object" or "box" not in event:
            return messages.Detection2DArray(header)
        x1, y1, x2, y2 = event["box"]
        middle = messages.Point2D((x1 + x2) / 2, (y1 + y2) / 2)
        box = messages.BoundingBox2D(messages.Pose2D(middle), x2 - x1, y2 - y1)
        named = [
            messages.ObjectHypothesisWithPose(messages.ObjectHypothesis(noun, p))
            for noun, p in event.get("candidates", [])
        ]
        detection = messages.Detection2D(header, named, box, event["id"])
        return messages.Detection2DArray(header, [detection])
