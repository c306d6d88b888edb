"""Messages of ROS 2 as DDS carries them: names and fields of common_interfaces and vision_msgs 4.

Their type names are what ROS makes of them (`sensor_msgs::msg::dds_::Image_`), by which DDS matches
writers and readers. Tried between processes of our own; no ROS node was at hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from cyclonedds.idl import IdlStruct, types

_Bytes = Annotated[Sequence[int], types.sequence(cast(Any, types.uint8))]


@dataclass
class Time(IdlStruct, typename="builtin_interfaces::msg::dds_::Time_"):
    """Seconds and nanoseconds since 1970."""

    sec: types.int32 = 0
    nanosec: types.uint32 = 0

    @classmethod
    def of_us(cls, time_us: int) -> "Time":
        """A UTC time in microseconds."""
        return cls(time_us // 1_000_000, time_us % 1_000_000 * 1000)

    @property
    def seconds(self) -> float:
        """Since 1970; 0 where nobody said."""
        return self.sec + self.nanosec / 1e9


@dataclass
class Header(IdlStruct, typename="std_msgs::msg::dds_::Header_"):
    """When something was measured, and in which frame."""

    stamp: Time = field(default_factory=Time)
    frame_id: str = ""


@dataclass
class CompressedImage(IdlStruct, typename="sensor_msgs::msg::dds_::CompressedImage_"):
    """A picture as a file."""

    header: Header = field(default_factory=Header)
    format: str = ""
    data: _Bytes = field(default_factory=list)


@dataclass
class Image(IdlStruct, typename="sensor_msgs::msg::dds_::Image_"):
    """A picture as pixels, rows of `step` bytes."""

    header: Header = field(default_factory=Header)
    height: types.uint32 = 0
    width: types.uint32 = 0
    encoding: str = ""
    is_bigendian: types.uint8 = 0
    step: types.uint32 = 0
    data: _Bytes = field(default_factory=list)


@dataclass
class String(IdlStruct, typename="std_msgs::msg::dds_::String_"):
    """A text."""

    data: str = ""


@dataclass
class Point(IdlStruct, typename="geometry_msgs::msg::dds_::Point_"):
    """A place."""

    x: types.float64 = 0.0
    y: types.float64 = 0.0
    z: types.float64 = 0.0


@dataclass
class Quaternion(IdlStruct, typename="geometry_msgs::msg::dds_::Quaternion_"):
    """A turn."""

    x: types.float64 = 0.0
    y: types.float64 = 0.0
    z: types.float64 = 0.0
    w: types.float64 = 1.0


@dataclass
class Pose(IdlStruct, typename="geometry_msgs::msg::dds_::Pose_"):
    """Place and turn."""

    position: Point = field(default_factory=Point)
    orientation: Quaternion = field(default_factory=Quaternion)


@dataclass
class PoseWithCovariance(IdlStruct, typename="geometry_msgs::msg::dds_::PoseWithCovariance_"):
    """The same, and how sure."""

    pose: Pose = field(default_factory=Pose)
    covariance: Annotated[Sequence[float], types.array(cast(Any, types.float64), 36)] = field(
        default_factory=lambda: [0.0] * 36
    )


@dataclass
class ObjectHypothesis(IdlStruct, typename="vision_msgs::msg::dds_::ObjectHypothesis_"):
    """A noun and its probability."""

    class_id: str = ""
    score: types.float64 = 0.0


@dataclass
class ObjectHypothesisWithPose(
    IdlStruct, typename="vision_msgs::msg::dds_::ObjectHypothesisWithPose_"
):
    """The same; where in space is not known."""

    hypothesis: ObjectHypothesis = field(default_factory=ObjectHypothesis)
    pose: PoseWithCovariance = field(default_factory=PoseWithCovariance)


@dataclass
class Point2D(IdlStruct, typename="vision_msgs::msg::dds_::Point2D_"):
    """A place in a picture, pixels."""

    x: types.float64 = 0.0
    y: types.float64 = 0.0


@dataclass
class Pose2D(IdlStruct, typename="vision_msgs::msg::dds_::Pose2D_"):
    """The same with a turn."""

    position: Point2D = field(default_factory=Point2D)
    theta: types.float64 = 0.0


@dataclass
class BoundingBox2D(IdlStruct, typename="vision_msgs::msg::dds_::BoundingBox2D_"):
    """A box by its middle and its sides, pixels."""

    center: Pose2D = field(default_factory=Pose2D)
    size_x: types.float64 = 0.0
    size_y: types.float64 = 0.0


@dataclass
class Detection2D(IdlStruct, typename="vision_msgs::msg::dds_::Detection2D_"):
    """A thing in a picture."""

    header: Header = field(default_factory=Header)
    results: Annotated[
        Sequence[ObjectHypothesisWithPose], types.sequence(ObjectHypothesisWithPose)
    ] = field(default_factory=list)
    bbox: BoundingBox2D = field(default_factory=BoundingBox2D)
    id: str = ""


@dataclass
class Detection2DArray(IdlStruct, typename="vision_msgs::msg::dds_::Detection2DArray_"):
    """All things in a picture."""

    header: Header = field(default_factory=Header)
    detections: Annotated[Sequence[Detection2D], types.sequence(Detection2D)] = field(
        default_factory=list
    )
