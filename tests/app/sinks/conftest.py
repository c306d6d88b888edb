"""Sinks remember the secrets of their addresses, and hide them from then on in every text."""

import pytest

from app import redact


@pytest.fixture(autouse=True)
def no_secret_outlives_its_test(monkeypatch: pytest.MonkeyPatch):
    # The example's password is "password", which other tests write.
    monkeypatch.setattr(redact, "_known", {})
