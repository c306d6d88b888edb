"""Cameras that answer a question to all, played by an answerer on loopback."""

import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.sources import discovery
from app.sources.discovery import Answer, discover, read_answer

ANSWER = """<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header>
<a:RelatesTo>urn:uuid:{number}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>
<d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Hall%20\x7f_cam
 onvif://www.onvif.org/hardware/IPC-1 </d:Scopes>
<d:XAddrs>http://10.1.2.3/onvif http://{host}/onvif/device_service</d:XAddrs>
</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"""


@contextmanager
def answerer() -> Iterator[tuple[str, int]]:
    """Group and port at which somebody answers each question twice, and with rubbish before."""
    group = "239.255.255.250"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("", 0))
        joined = struct.pack("=4s4s", socket.inet_aton(group), socket.inet_aton("127.0.0.1"))
        one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)

        def answer() -> None:
            while True:
                data, whence = one.recvfrom(1 << 16)
                found = re.search(rb"urn:uuid:([0-9a-f-]{36})", data)
                if found is None:
                    return
                one.sendto(b"rubbish", whence)
                # Whoever asks is on the same machine.
                said = ANSWER.format(number=found[1].decode(), host=whence[0]).encode()
                for _ in range(2):
                    one.sendto(said, whence)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield group, one.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"end", ("127.0.0.1", one.getsockname()[1]))
            thread.join()


def test_a_camera_that_answers_is_listed_once_by_who_it_is(monkeypatch: pytest.MonkeyPatch):
    with answerer() as group:
        (found,) = discover(0.5, group)
        monkeypatch.setattr(discovery.discover, "__defaults__", (0.5, group))
        told = CliRunner().invoke(cli, ["doctor", "--discover", "--seconds", "1", "--json"])
        people = CliRunner().invoke(cli, ["doctor", "--discover", "--seconds", "1"])
    address = f"http://{found.host}/onvif/device_service"
    assert found == Answer(found.host, "Hall ? cam", "IPC-1", address)
    assert json.loads(told.stdout) == {"cameras": [found.as_json()]}
    assert people.stdout.splitlines()[0] == f"{found.host}: Hall ? cam, IPC-1, {address}"
    assert "nomaly init --source rtsp://" in people.stdout


def test_silence_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(discovery.discover, "__defaults__", (0.2, ("127.0.0.1", 9)))
    done = CliRunner().invoke(cli, ["doctor", "--discover", "--seconds", "1"])
    assert done.exit_code == 0
    assert done.stdout.startswith("No camera answered.")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe<a",
        b"<a/>",
        ANSWER.format(number="another", host="10.0.0.5").encode(),
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
    ],
)
def test_what_is_no_answer_to_the_question_is_left_out(data: bytes):
    assert read_answer(data, "10.0.0.5", "number-1") is None
