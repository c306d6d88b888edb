"""Opens a rated site for review, and writes its dictionary when the review is over."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.local_page import serve_until_stopped
from app.progress import Reporter
from app.sites.rating.order import RateOrder
from app.sites.rating.work import open_work
from app.sites.rating.writing import check_same_start, frequency_by, write_reviewed
from app.sites.review.page import review_page
from app.sites.review.session import ReviewSession
from scenarios.lock import running
from scenarios.meanings import Meanings
from scenarios.overlay import read_overlay
from scenarios.ratings.files import read_site_ratings
from scenarios.site import find_scenario


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review left."""

    output: Path
    overlay: Path
    edits: int
    """Nouns that people have said something about, earlier reviews included."""
    made: int
    """Edits of this review."""

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "output": str(self.output),
            "overlay": str(self.overlay),
            "edits": self.edits,
            "made": self.made,
        }


def review_site(
    order: RateOrder, host: str, port: int, reporter: Reporter, *, browser: bool
) -> Reviewed:
    """Serve a site's review until it is done or Ctrl-C, then write its dictionary with the edits.

    Args:
        order: Names the site, and the base dictionary if another than the scenario's was rated.
        host: Address to listen on.
        port: 0 takes a free one.
        reporter: Told what happens.
        browser: Open the page.

    Raises:
        RatingError: If the site was not rated yet, or its base dictionary is another one now.
        ScenarioError: If the scenario or its overlay cannot be read.
        UsageError: If the address cannot be listened on.
    """
    scenario = find_scenario(order.name, order.root, reporter.say)
    with running(scenario.folder):
        ratings = read_site_ratings(scenario.ratings_path)
        work = open_work(order, scenario, reporter)
        check_same_start(work, ratings)
        session = ReviewSession(
            ratings,
            read_overlay(scenario.overlay_path),
            scenario.overlay_path,
            Meanings(work.base).of,
            frequency_by(work, ratings),
        )
        serve_until_stopped(
            review_page(session),
            host,
            port,
            reporter,
            task="review",
            browser=browser,
            done=lambda: session.done,
        )
        # By hand, too, the overlay may have been changed since the dictionary was written.
        reporter.say("Writing the dictionary ...")
        write_reviewed(open_work(order, scenario, reporter), ratings)
    return Reviewed(
        scenario.site_dictionary_path,
        scenario.overlay_path,
        len(session.overlay.edits),
        session.made,
    )
