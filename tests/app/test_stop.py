"""Ctrl-C as a question that long work may answer."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.stop import stoppable
from tests.peers.consumer import wait_for


def test_a_signal_becomes_a_flag_and_the_second_one_interrupts():
    before = signal.getsignal(signal.SIGTERM)
    with stoppable() as stop:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            stop.check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_is_acknowledged_once_while_the_main_thread_is_busy():
    said: list[str] = []

    def handle(*_: object) -> None:
        # The main thread stands here until another one has spoken.
        wait_for("the answer", lambda: bool(said))

    with stoppable(said.append):
        ours = signal.signal(signal.SIGTERM, handle)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, ours)
    assert said == ["stopping; what is done is saved ..."]
    assert signal.set_wakeup_fd(-1) == -1


def test_nothing_is_said_without_a_signal():
    said: list[str] = []
    with stoppable(said.append):
        pass
    assert said == []


def test_a_lost_terminal_stops_as_often_as_it_likes():
    with stoppable() as stop:
        for _ in range(2):
            signal.raise_signal(signal.SIGHUP)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_under_nohup_a_lost_terminal_changes_nothing():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_no_handler_is_touched():
    before = signal.getsignal(signal.SIGINT)

    def work() -> bool:
        with stoppable() as stop:
            stop.check()
            return signal.getsignal(signal.SIGINT) is before

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result()
