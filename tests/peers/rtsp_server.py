"""A camera that plays one video over RTSP, under Debian's Python, where GStreamer's bindings live.

rtsp_server.py PORT VIDEO.au [--once] [--login USER:PASSWORD] [--udp] [--loss SHARE]

VIDEO.au holds H.264 access units (see `tests/peers/camera.py`). Every client sees it from its
beginning, in real time, and over and over. SIGUSR1 freezes the encoder (RTSP goes on), SIGUSR2
thaws it; end of stdin ends the server. `--once`: after the first full showing the stream ends, and
there is nothing at the address any more. `--udp`: it sends over UDP only. `--loss`: such a share of
its packets never leaves, as on a bad network.
"""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
# ruff: noqa: ANN001, ANN204, E402, T201

import argparse
import os
import signal
import struct
import sys
import threading
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: F401 - GstApp lends push-buffer

HEAD = struct.Struct("<qqBI")  # pts and dts in nanoseconds, key frame, length
LAUNCH = (
    "( appsrc name=video is-live=true format=time max-bytes=0 "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au "
    "! h264parse config-interval=1 ! rtph264pay {name} )"
)
WHOLE = "name=pay0 pt=96"
LOSSY = "pt=96 ! identity name=pay0 drop-probability={loss}"
MOUNT = "/cam1"


def access_units(path):
    with Path(path).open("rb") as file:
        while head := file.read(HEAD.size):
            pts, dts, key, length = HEAD.unpack(head)
            yield pts, dts, bool(key), file.read(length)


def over_and_over(path):
    """As a camera, which has no end however long a busy machine takes for a test."""
    begin = 0
    while True:
        step = last = 0
        for pts, dts, key, data in access_units(path):
            step, last = dts - last, dts
            yield begin + pts, begin + dts, key, data
        begin += last + step


class Showing(threading.Thread):
    """Pushes the video to one client."""

    def __init__(self, source, camera):
        super().__init__(daemon=True)
        self.source = source
        self.camera = camera
        self.playing = threading.Event()
        self.stopped = threading.Event()

    def run(self):
        begun = None
        lost = False
        show = access_units if self.camera.once else over_and_over
        for pts, dts, key, data in show(self.camera.path):
            if begun is not None:
                time.sleep(max(0.0, begun + dts / 1e9 - time.monotonic()))
            while begun is None and self.camera.frozen:
                time.sleep(0.02)
            # Whoever misses a frame can only go on at the next key frame.
            lost = self.camera.frozen or (lost and not key)
            if not lost and not self.push(pts, dts, data):
                return
            if begun is None:
                # The first frame is needed to describe the stream; the others wait for PLAY.
                self.playing.wait()
                begun = time.monotonic()
            if self.stopped.is_set():
                return
        time.sleep(0.2)
        self.camera.shown()
        self.source.emit("end-of-stream")

    def push(self, pts, dts, data):
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts, buffer.dts = pts, dts
        return self.source.emit("push-buffer", buffer) == Gst.FlowReturn.OK


class Camera(GstRtspServer.RTSPMediaFactory):
    def __init__(self, path, once, mounts, loss):
        super().__init__()
        self.path = path
        self.launch = LAUNCH.format(name=LOSSY.format(loss=loss) if loss else WHOLE)
        self.once = once
        self.mounts = mounts
        self.frozen = False

    def do_create_element(self, _):
        return Gst.parse_launch(self.launch)

    def do_configure(self, media):
        showing = Showing(media.get_element().get_by_name_recurse_up("video"), self)
        media.connect("new-state", lambda _, state: self.follow(showing, state))
        media.connect("unprepared", lambda _: showing.stopped.set())
        showing.start()

    def follow(self, showing, state):
        if state == int(Gst.State.PLAYING):
            showing.playing.set()

    def shown(self):
        if self.once:
            self.mounts.remove_factory(MOUNT)

    def freeze(self, frozen):
        self.frozen = frozen
        return True


def require_login(server, camera, login):
    user, password = login.split(":", 1)
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    camera.set_permissions(permissions)


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("path")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--login")
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--loss", type=float, default=0.0)
    asked = parser.parse_args()
    threading.Thread(target=end_with_parent, daemon=True).start()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(asked.port)
    camera = Camera(asked.path, asked.once, server.get_mount_points(), asked.loss)
    if asked.udp:
        camera.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if asked.login:
        require_login(server, camera, asked.login)
    server.get_mount_points().add_factory(MOUNT, camera)
    if server.attach(None) == 0:
        sys.exit(f"cannot listen on port {asked.port}")
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGUSR1, camera.freeze, True)
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGUSR2, camera.freeze, False)
    print("READY", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
