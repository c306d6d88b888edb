"""Which nouns mean something of a site."""

import numpy as np

from app.unknown.site import Site, texts_of
from novic.embedders.starter import StarterEmbedder

SITE = Site(["birds", "cat, house cat", "Nicol"])


def test_spellings_and_kinds_of_the_sites_nouns_belong_to_it():
    assert all(map(SITE.holds, ("bird", "Birds", "ostrich", "house cats", "siamese cat", "nicol")))
    assert not any(map(SITE.holds, ("animal", "dog", "airliner", "no such noun")))


def test_what_the_sites_nouns_are_kinds_of_is_related():
    assert all(map(SITE.related, ("animal", "ostrich", "object")))
    assert not any(map(SITE.related, ("dog", "airliner", "no such noun")))


def test_nouns_that_were_said_are_flagged_where_they_stand():
    flags = SITE.inside([("ostrich", "dog"), ("dog", "cat", "cup")], 4)
    assert flags.tolist() == [[True, False, False, False], [False, True, False, False]]


def test_negative_texts_mean_nothing_of_the_site():
    candidates = ["ostrich", "animal", "cup", "cats", "bird", "tractor"]
    seen: list[tuple[int, int]] = []
    embedder = StarterEmbedder()
    texts = texts_of(SITE, candidates, embedder, told=lambda *now: seen.append(now))
    assert texts.positive.shape == (3, 384)
    wanted = embedder.embed_texts(["cup", "tractor"])
    np.testing.assert_allclose(texts.negative, wanted, atol=1e-5)
    assert seen == [(0, 6)]
