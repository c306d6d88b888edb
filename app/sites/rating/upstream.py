"""A site's dictionary from ratings that NOVIC's own script made."""

from pathlib import Path

from app.progress import Reporter
from app.sites.rating.order import Rated, RateOrder
from app.sites.rating.work import Work, open_work
from app.sites.rating.writing import UPSTREAM_RULE, ft_sizes, now_us
from scenarios.lock import running
from scenarios.ratings.files import provenance, write_site
from scenarios.ratings.result import NounRating, SiteRatings
from scenarios.ratings.scale import auc
from scenarios.ratings.upstream import read_opinions, upstream_dictionary
from scenarios.site import find_scenario


def take_upstream_ratings(
    order: RateOrder, file: Path, reporter: Reporter, *, drop_invalid: bool
) -> Rated:
    """Write the dictionary that upstream would make of its rating file.

    Args:
        order: Names the site and the dictionary that was rated.
        file: JSON lines, one for each opinion.
        reporter: Told what happens.
        drop_invalid: Leave out nouns that most opinions call no object noun.

    Raises:
        RatingError: If the file cannot be read, is about another dictionary, or nothing is left.
        ScenarioError, DictionaryError: If files of the scenario cannot be read.
    """
    scenario = find_scenario(order.name, order.root, reporter.say)
    with running(scenario.folder):
        work = open_work(order, scenario, reporter)
        opinions = read_opinions([file], work.base)
        dictionary, nouns = upstream_dictionary(work.base, opinions, drop_invalid=drop_invalid)
        told = provenance(
            [],
            base_sha256=work.base_sha256,
            dictionary=work.start.as_json(),
            rule=UPSTREAM_RULE,
            share=None,
            made_us=now_us(),
        )
        ratings = SiteRatings(
            scenario.name, work.place.description, {**told, "upstream_file": str(file)}, nouns
        )
        write_site(scenario.folder, scenario.name, dictionary, ratings)
    return Rated(
        output=scenario.site_dictionary_path,
        rated=len(opinions),
        estimated=0,
        unrated=len(nouns) - len(opinions),
        requests=0,
        tokens_in=0,
        tokens_out=0,
        cost_usd=0.0,
        auc_examples=_examples_auc(work, nouns),
        ft=ft_sizes(dictionary),
    )


def _examples_auc(work: Work, nouns: tuple[NounRating, ...]) -> float | None:
    """Share of the owner's examples, in pairs, in order; None if it has no such examples."""
    by_noun = {noun.target_noun: noun.rating for noun in nouns if noun.opinions}
    seen = [by_noun[noun] for noun in work.place.seen if noun in by_noun]
    never = [by_noun[noun] for noun in work.place.never if noun in by_noun]
    return auc(seen, never) if seen and never else None
