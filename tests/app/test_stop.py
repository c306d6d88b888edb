"""Ctrl-C as a question that long work may answer."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.stop import stoppable


def test_a_signal_becomes_a_flag_and_the_second_one_interrupts():
    before = signal.getsignal(signal.SIGTERM)
    with stoppable() as stop:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            stop.check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_no_handler_is_touched():
    before = signal.getsignal(signal.SIGINT)

    def work() -> bool:
        with stoppable() as stop:
            stop.check()
            return signal.getsignal(signal.SIGINT) is before

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result()
