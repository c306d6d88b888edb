"""Fixtures for all tests."""

from tests.app.short_watch import audited, clip, plan
from tests.peers.camera import gst_python, pattern_units, rtsp_camera
from tests.scenarios.installed import wordnet

__all__ = ["audited", "clip", "gst_python", "pattern_units", "plan", "rtsp_camera", "wordnet"]
