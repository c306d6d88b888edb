"""When a thing belongs to a site: what its author may say about that."""

from typing import Annotated

from pydantic import Field

from detectors.configs import Config

type _Share = Annotated[float, Field(gt=0, lt=1)]


class BelongingRule(Config):
    """When a thing belongs."""

    foreign_share: _Share = 0.05
    """Share of normal crops that may look foreign: from this p-value on a thing looks usual."""
    sure_from: _Share = 0.5
    """Probability from which on expected, unexpected or unknown is told."""
    expected_from: Annotated[float, Field(ge=1, le=10)] = 5.0
    """Frequency from which on a noun is expected, 1 to 10; from 3 on where it looks quite usual."""
    usual_from: _Share = 0.2
    """P-value of looks from which on something looks quite usual."""
