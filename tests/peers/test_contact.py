"""Nothing is contacted, and the home folder stays as it is: watched from outside, in real commands.

The commands run in processes of their own, whose look-ups and connections a preloaded library
records, also those of compiled code, and whose home folder is empty at the start.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.app.sites.rating.builders import NAME, small_site_dictionary
from tests.peers.pattern import numbered

PICTURES = 40
"""More than the starter embedder names before it moves to OpenVINO."""
OWN = (".cache/nomaly", ".local/share/nomaly")
"""Where Nomaly keeps its own things below a home folder."""
CODE = """
import json, sys
from tests.app.forked import run_forked
for words in json.load(sys.stdin):
    done = run_forked(words, 300)
    print(json.dumps([done.returncode, done.stdout, done.stderr]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """A machine's user, whose processes are watched."""

    home: Path
    contacts: Path
    environment: Mapping[str, str]

    def recorded(self) -> list[str]:
        """Look-ups and connections so far."""
        return self.contacts.read_text().splitlines() if self.contacts.exists() else []

    def written(self) -> list[str]:
        """Files in the home folder, but for Nomaly's own."""
        files = (str(path.relative_to(self.home)) for path in self.home.rglob("*"))
        return [file for file in files if not file.startswith(OWN) and (self.home / file).is_file()]


@pytest.fixture
def user(tmp_path: Path) -> Watched:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        missing = "no compiler for what records look-ups; install it with: apt-get install gcc"
        if os.environ.get("PEERS_REQUIRED") == "1":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    library = tmp_path / "contacts.so"
    source = Path(__file__).with_name("contacts.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    home = tmp_path / "home"
    home.mkdir()
    theirs = ("XDG_", "HF_", "NOMALY_", "OPENAI_", "TORCH", "MPL", "CI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    contacts = tmp_path / "contacts"
    watched = {"HOME": str(home), "LD_PRELOAD": str(library), "CONTACTS": str(contacts)}
    return Watched(home, contacts, kept | watched)


def run_all(user: Watched, commands: Sequence[Sequence[str | Path]]) -> None:
    """Run commands one after the other; all must succeed."""
    listed = json.dumps([list(map(str, words)) for words in commands])
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        input=listed,
        env=user.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended = [json.loads(line) for line in done.stdout.splitlines()]
    for words, (code, _, stderr) in zip(commands, ended, strict=True):
        assert code == 0, f"{words[0]}: {stderr}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_command_contacts_anybody_or_writes_into_the_home_folder(user: Watched, tmp_path: Path):
    clip = numbered(tmp_path / "clip.mp4", 75)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    draw = np.random.default_rng(0)
    for number in range(PICTURES):
        noise = draw.integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(noise).save(pictures / f"{number}.png")
    dictionary = small_site_dictionary(tmp_path / "object_nouns.json")
    view = ("--detector", tmp_path / "view")
    rating = ("--backend", "prior", "--dictionary", dictionary, "--root", tmp_path / "sites")
    commands = [
        ("--help",),
        ("name", pictures, "--json"),
        ("fit", clip, "--out", tmp_path / "view", "--seconds", "3"),
        ("audit", clip, *view, "--out", tmp_path / "audit", "--no-draw"),
        ("watch", clip, *view, "--out", tmp_path / "watch", "--for", "2", "--json"),
        ("scenario", "rate", NAME, *rating),
    ]
    run_all(user, commands)
    assert user.recorded() == []
    assert user.written() == []


@pytest.mark.parametrize(
    ("code", "recorded"),
    [
        ("socket.getaddrinfo('nobody.invalid', 80)", "lookup nobody.invalid"),
        ("socket.gethostbyname('nobody.invalid')", "lookup nobody.invalid"),
        ("socket.create_connection(('192.0.2.1', 80), 1)", "connect 192.0.2.1"),
        ("subprocess.run([sys.executable, '-c', CHILD], check=True)", "lookup child.invalid"),
    ],
    ids=["getaddrinfo", "gethostbyname", "address", "child"],
)
def test_contacts_are_recorded_and_refused(user: Watched, code: str, recorded: str):
    child = "import socket; socket.getaddrinfo('child.invalid', 80)"
    words = f"import socket, subprocess, sys\nCHILD = {child!r}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", words],
        env=user.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "rror: " in done.stderr
    assert user.recorded() == [recorded]


def test_what_stays_on_this_machine_is_no_contact(user: Watched):
    words = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(s.getsockname()); socket.getaddrinfo('localhost', 80)"
    )
    subprocess.run([sys.executable, "-c", words], env=user.environment, check=True)
    assert user.recorded() == []
