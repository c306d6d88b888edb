"""Fixtures for all tests."""

import signal

from tests.app.short_watch import audited, clip, plan
from tests.peers.camera import gst_python, pattern_units, rtsp_camera
from tests.scenarios.installed import base_dictionary, base_file, home_with_base, wordnet
from tests.small_disk import small_disk

# A shell without a terminal starts what runs in its background with Ctrl-C ignored, nohup with
# SIGHUP ignored, and whatever a test starts would inherit that; it does not inherit a handler.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

__all__ = [
    "audited",
    "base_dictionary",
    "base_file",
    "clip",
    "gst_python",
    "home_with_base",
    "pattern_units",
    "plan",
    "rtsp_camera",
    "small_disk",
    "wordnet",
]
