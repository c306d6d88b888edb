"""Of what rings, at most a share is nothing."""

import importlib.util
import json
import sys

import numpy as np
import pytest

from calibration.rings import Rings
from novic.extras import MissingPackageError

HERE = importlib.util.find_spec("online_fdr") is not None


def stream(seed: int, count: int = 1500, things: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """p of events, of which a share are things, and which these are."""
    rng = np.random.default_rng(seed)
    true = rng.random(count) < things
    return np.where(true, rng.random(count) ** 12, rng.random(count)), true


def test_without_the_package_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "online_fdr", None)
    monkeypatch.delitem(sys.modules, "online_fdr.p_values", raising=False)
    with pytest.raises(MissingPackageError, match="the promise of what rings needs the package"):
        Rings(0.1)


def test_shares_that_are_none_are_refused():
    for q, decay in ((0.0, 0.9), (1.0, 0.9), (0.1, 1.0), (float("nan"), 0.9)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            Rings(q, decay)


@pytest.mark.skipif(not HERE, reason="needs online-fdr (extra rings)")
def test_of_what_rings_few_are_nothing():
    shares, found = [], []
    for seed in range(50):
        p, true = stream(seed)
        rings = Rings(0.1)
        rung = np.array([rings.ring(float(one)) for one in p])
        shares.append((rung & ~true).sum() / max(1, rung.sum()))
        found.append((rung & true).sum() / true.sum())
    assert np.mean(shares) <= 0.1
    assert np.mean(found) > 0.3


@pytest.mark.skipif(not HERE, reason="needs online-fdr (extra rings)")
def test_it_goes_on_where_another_was():
    p, _ = stream(3, 200)
    rings = Rings(0.1)
    for one in p[:100]:
        rings.ring(float(one))
    other = Rings.of(json.loads(json.dumps(rings.state())))
    assert other.first == rings.first == pytest.approx(0.0005)
    assert [rings.ring(float(one)) for one in p[100:]] == [
        other.ring(float(one)) for one in p[100:]
    ]
    with pytest.raises(ValueError, match="from 0 to 1"):
        rings.ring(float("nan"))
