"""Fixtures for all tests."""

from tests.peers.camera import gst_python, pattern_units, rtsp_camera

__all__ = ["gst_python", "pattern_units", "rtsp_camera"]
