"""Answers and small sites; also imported by the processes that tests kill, so without pytest."""

from scenarios.dictionary import ObjectDictionary
from scenarios.overlay import Overlay
from scenarios.ratings.records import Answer, Question, Rating
from scenarios.ratings.result import RatedLogit, SiteRatings, Wishes, site_dictionary
from tests.scenarios.builders import small_dictionary

QUESTION = Question("digit", "a-model", "", "prompt", "site")
TEXT = "A camera looks at a bench."


def a_site(logit: float) -> tuple[ObjectDictionary, SiteRatings]:
    base = small_dictionary()
    rated = {target: RatedLogit(logit, 1, ("m",)) for target in base.targets[1:]}
    wishes = Wishes(expected={"deer"}, excluded={"suv": "no"})
    dictionary, nouns = site_dictionary(base, rated, Overlay(), wishes, share=0.1)
    return dictionary, SiteRatings("bench", TEXT, {"rule": "largest remainder"}, nouns)


def an_answer(number: int, nouns: int = 3) -> Answer:
    return Answer(
        f"request-{number}",
        "ok",
        tuple(Rating(f"noun {number} {n}", f"Noun {n}", n + 0.5, line=n) for n in range(nouns)),
        tokens_in=100,
        tokens_out=10,
        cost_usd=0.25,
        created_us=1_700_000_000_000_000 - number,
    )
