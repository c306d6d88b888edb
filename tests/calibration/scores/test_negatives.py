"""Which nouns may stand for what does not belong."""

import numpy as np
import pytest

from calibration.scores.negatives import canonical, foreign, mined, spellings
from calibration.scores.protocol import ScoreError
from tests.calibration.scores.samples import sines, unit


def test_nouns_are_compared_by_what_matters_of_their_spelling():
    assert canonical("Fork-lift  Truck") == "fork lift truck"
    assert canonical("St. Bernard's/dog") == "st bernards dog"
    assert {"box", "boxes"} <= spellings("boxes")
    assert {"lorry", "lorries"} <= spellings("lorries") & spellings("Lorry")
    assert "glas" not in spellings("glass")


def test_names_aliases_likenesses_and_kin_of_the_sites_nouns_are_no_negatives():
    nouns = ["Airbuses", "jet-liner", "aeroplane", "biplane", "dog", "cup"]
    vectors = unit(np.eye(6) + 0.01)
    site = unit(np.array([vectors[2] + 0.1 * vectors[5]]))
    kept = foreign(nouns, ["airbus"], vectors, site, ["jet liner"], lambda noun: noun == "biplane")
    assert [nouns[number] for number in kept] == ["dog", "cup"]


def test_mining_keeps_the_farthest():
    candidates, site = sines(60, 6, 0.71), sines(9, 6, 0.31)
    kept = mined(candidates, site, share=0.2, least=50)
    near = np.quantile(candidates @ site.T, 0.95, axis=1)
    assert len(kept) == 12
    assert near[kept].max() <= np.delete(near, kept).min()
    assert kept.tolist() == sorted(kept)


def test_few_candidates_are_all_kept():
    assert mined(sines(60, 6, 0.71), sines(9, 6, 0.31)).tolist() == list(range(60))


def test_misuse_is_told():
    with pytest.raises(ScoreError, match="1 and 1 nouns need as many vectors"):
        foreign(["cup"], ["dog"], sines(2, 6, 1.0), sines(1, 6, 1.1))
    with pytest.raises(ScoreError, match="share 0 and quantile"):
        mined(sines(3, 6, 1.0), sines(1, 6, 1.1), share=0, least=1)
