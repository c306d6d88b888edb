"""Reading and writing topics over DDS."""

from cyclonedds.core import (
    InstanceState,
    Policy,
    Qos,
    ReadCondition,
    SampleState,
    ViewState,
    WaitSet,
)
from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.internal import InvalidSample
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration

_MOST = 100
"""Messages that are taken at once."""
_NEWEST = Qos(Policy.Reliability.BestEffort, Policy.History.KeepLast(1), Policy.Durability.Volatile)
"""As ROS's sensor data: a reader of best effort is matched with every writer."""
_EVERY = Qos(
    Policy.Reliability.Reliable(duration(seconds=1)),
    Policy.History.KeepLast(_MOST),
    Policy.Durability.Volatile,
)
"""As ROS's default for publishers."""


class Subscription[M: IdlStruct]:
    """Takes messages of a topic."""

    def __init__(self, domain: int, name: str, kind: type[M], *, every: bool = False) -> None:
        """Subscribe.

        Args:
            domain: ROS_DOMAIN_ID.
            name: The topic as DDS knows it.
            kind: Of `app.ros.messages`.
            every: Each message, confirmed to who wrote it; otherwise the newest alone.
        """
        quality = _EVERY if every else _NEWEST
        participant = DomainParticipant(domain)
        self._reader = DataReader(
            participant, Topic(participant, name, kind, qos=quality), qos=quality
        )
        state = SampleState.NotRead | ViewState.Any | InstanceState.Any
        self._news = ReadCondition(self._reader, state)
        self._waiting = WaitSet(participant)
        self._waiting.attach(self._news)

    def wait(self, limit_s: float) -> None:
        """Wait until there is something to take."""
        self._waiting.wait(duration(seconds=limit_s))

    @property
    def writers(self) -> int:
        """How many publish it just now."""
        return len(self._reader.get_matched_publications())

    def take(self) -> list[M]:
        """What has come since the last call; never waits."""
        taken = self._reader.take(_MOST)
        # One that tells only of a writer that went away is none.
        return [one for one in taken if not isinstance(one, InvalidSample)]


class Publication[M: IdlStruct]:
    """Writes messages to a topic, and knows whether they were taken."""

    def __init__(self, domain: int, name: str, kind: type[M]) -> None:
        """Announce it.

        Args:
            domain: ROS_DOMAIN_ID.
            name: The topic as DDS knows it.
            kind: Of `app.ros.messages`.
        """
        participant = DomainParticipant(domain)
        self._writer = DataWriter(
            participant, Topic(participant, name, kind, qos=_EVERY), qos=_EVERY
        )

    @property
    def readers(self) -> int:
        """How many subscribe just now."""
        return len(self._writer.get_matched_subscriptions())

    def write(self, message: M, limit_s: float) -> bool:
        """Publish a message; whether all that asked for it reliably have it in time."""
        self._writer.write(message)
        return bool(self._writer.wait_for_acks(duration(seconds=limit_s)))
