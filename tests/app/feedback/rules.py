"""Rules of known looks, for tests of what they quiet."""

from app.feedback.quiet import Looks, Quiet
from app.feedback.when import When
from app.feedback.where import Where
from tests.app.feedback.verdicts import EMBEDDER, NAMES, a_signature, a_vector


def a_rule(
    degrees: float | None = 0,
    *,
    what: str = "cat",
    keep_s: float | None = None,
    when: When | None = None,
    where: Where | None = None,
) -> Quiet:
    """It quiets what is less than about 15 degrees away; with None whatever is so called."""
    looks = None
    if degrees is not None:
        looks = Looks(EMBEDDER, a_vector(degrees), a_signature(degrees), NAMES, "arrived", 2.0)
    return Quiet(
        0, "x", "hall", what, what == "animal", "arrived", where or Where(), when or When(),
        looks, 0, keep_s,
    )  # fmt: skip
