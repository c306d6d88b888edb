"""A reader process by itself."""

import socket
import subprocess
import sys

from app.sources.publisher import ReadRequest


def test_a_reader_dies_with_a_parent_that_has_not_read_its_news():
    ours, its = socket.socketpair()
    words = [sys.executable, "-m", "app.sources.reader", str(its.fileno())]
    with subprocess.Popen(words, pass_fds=[its.fileno()]) as reader, ours:
        its.close()
        request = ReadRequest("network", "rtsp://127.0.0.1:9/s", 5.0, None)
        ours.sendall(request.to_line())
        # There is something to read, and nobody does.
        ours.recv(1, socket.MSG_PEEK)
        ours.close()
        assert reader.wait(60) == 1
