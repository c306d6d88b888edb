import subprocess

import pytest

from app.errors import UsageError
from app.web.passwords import Tries, fits, hash_password, is_hash
from tests.app.short_watch import NOMALY


def test_the_command_prints_a_hash_that_fits_its_password_alone():
    done = subprocess.run(
        [NOMALY, "password"], input="pass wörd 123\n", capture_output=True, text=True, check=True
    )
    hashed = done.stdout.strip()
    assert is_hash(hashed)
    assert fits("pass wörd 123", hashed)
    assert not fits("pass wörd 124", hashed)
    assert "pass w" not in done.stdout + done.stderr


def test_the_command_refuses_what_is_guessed_soon():
    done = subprocess.run(
        [NOMALY, "password"], input="1234567\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "nomaly: the password has 7 characters; take 8 or more\n"


def test_a_password_that_never_ends_is_refused():
    with pytest.raises(UsageError, match="take 1024 at most"):
        hash_password("x" * 5000)


@pytest.mark.parametrize("text", ["", "$argon2id$", "hunter22", "$2b$12$abcdefghijk"])
def test_other_texts_are_no_hash(text: str):
    assert not is_hash(text)
    assert not fits("hunter22", text)


def test_each_wrong_try_costs_more_and_only_who_was_wrong_waits():
    tries = Tries()
    assert [tries.wrong("a") for _ in range(6)] == [0, 0, 1, 2, 4, 8]
    assert [tries.wrong("a") for _ in range(20)][-1] == 300
    assert tries.pause_s("a") > 200
    assert tries.pause_s("b") == 0
    tries.right("a")
    assert tries.pause_s("a") == 0
