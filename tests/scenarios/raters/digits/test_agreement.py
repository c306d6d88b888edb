"""Our adaptive digits against three opinions on each noun alone, with a simulated rater."""

from benchmarks.rating_agreement import simulate


def test_adaptive_digits_agree_with_three_opinions_nearly_as_well_as_those_with_themselves():
    result = simulate(1500, seed=3)
    assert result["unrated"] < 0.01
    assert result["opinions"] < 1.85
    assert 0.9 < result["repeatability"] < 0.99
    assert result["share_of_repeatability"] >= 0.95
