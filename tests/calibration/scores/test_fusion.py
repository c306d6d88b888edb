"""P-values, and several scores as one."""

import math

import numpy as np
import pytest
from scipy.stats import combine_pvalues, genpareto

from calibration.ranking import auroc
from calibration.scores.conformal import ranks_of, tailed_ranks_of
from calibration.scores.features import CentreCosine, Knn
from calibration.scores.fusion import FisherFusion, LogisticFusion, parted
from calibration.scores.gaussians import MahalanobisPP
from calibration.scores.logits import OnLogits, energy
from calibration.scores.protocol import Pictures, ScoreError
from tests.calibration.scores.samples import cloud, elsewhere

PAIR = (Knn(), MahalanobisPP())


def test_p_counts_the_known_scores_that_are_not_below():
    ranks = ranks_of("it", np.arange(19.0).repeat(2))
    assert ranks.p(np.array([-1.0, 18, 18.5, 0])) == pytest.approx([1, 3 / 39, 1 / 39, 1])


def test_no_more_known_ones_are_refused_than_was_asked():
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(500):
        ranks = ranks_of("it", rng.normal(size=60))
        shares.append((ranks.p(rng.normal(size=60)) <= 0.1).mean())
    shares = np.array(shares)
    assert shares.mean() <= 0.1 + 2 * shares.std() / math.sqrt(500)
    # 6 of 61 ranks have p <= .1.
    assert shares.mean() == pytest.approx(6 / 61, abs=2.5 * shares.std() / math.sqrt(500))


def test_above_the_level_p_is_that_of_a_pareto_tail_and_goes_on_falling():
    scores = np.asarray(genpareto.rvs(0.3, size=400, random_state=3))
    tailed = tailed_ranks_of("it", scores)
    far = np.array([tailed.level + 0.5, 50.0, 500.0])
    tail = genpareto(tailed.tail.shape, scale=tailed.tail.scale)
    wanted = np.log(41 / 401) + tail.logsf(far - tailed.level)
    assert tailed.log_p(far) == pytest.approx(wanted)
    steps = tailed.log_p(np.sort(np.concatenate([scores, far])))
    assert (np.diff(steps) <= 1e-12).all()
    assert steps[-1] < steps[-2] < steps[-3]


def test_a_tail_without_an_end_is_taken_where_it_seems_to_have_one():
    tailed = tailed_ranks_of("it", np.linspace(0, 1, 500))
    assert tailed.tail.shape == 0
    assert np.isfinite(tailed.log_p(np.array([1e3]))).all()


def test_a_tail_is_had_where_the_highest_score_is_frequent():
    tailed = tailed_ranks_of("it", np.array([0.0] * 50 + [1.0] * 50))
    assert tailed.log_p(np.array([3.0])) < tailed.log_p(np.array([1.5]))
    assert tailed.log_p(np.array([1.5])) < tailed.log_p(np.array([1.0]))


def test_fisher_is_that_of_scipy():
    known, asked = cloud(400, 0), cloud(5, 1)
    fitted = FisherFusion(PAIR, seed=4).fit(known)
    learned, kept = parted("", known, 0.4, 40, 4)
    logs = []
    for score in PAIR:
        one = score.fit(known.part(learned))
        ranks = tailed_ranks_of(score.name, one.score(known.part(kept[::2])))
        logs.append(ranks.log_p(one.score(asked)))
    wanted = [combine_pvalues(np.exp(both), "fisher")[0] for both in np.transpose(logs)]
    assert fitted.score(asked) == pytest.approx(wanted)


def test_fisher_is_no_worse_than_the_better_of_its_scores():
    known, new = cloud(600, 0), cloud(300, 1)
    foreign = elsewhere(300, 2)
    scores = (OnLogits("energy", energy), MahalanobisPP())
    fused = FisherFusion(scores).fit(known)
    single = [one.fit(known) for one in scores]
    best = max(auroc(one.score(new), one.score(foreign)) for one in single)
    assert auroc(fused.score(new), fused.score(foreign)) >= best - 0.01


def test_the_sum_is_ranked_anew_so_that_its_p_holds():
    rng = np.random.default_rng(1)
    shares = []
    for seed in range(30):
        fused = FisherFusion(PAIR, seed=seed).fit(cloud(200, int(rng.integers(1 << 30))))
        new = cloud(200, int(rng.integers(1 << 30)))
        shares.append((fused.pvalue(new) <= 0.1).mean())
    shares = np.array(shares)
    assert shares.mean() <= 0.1 + 2 * shares.std() / math.sqrt(len(shares))
    assert shares.mean() > 0.05


def test_logistic_weighs_the_score_that_tells_and_not_the_one_that_does_not():
    known, foreign = cloud(400, 0), elsewhere(100, 1)
    rng = np.random.default_rng(0)
    known = Pictures(known.vectors, logits=rng.normal(size=(400, 3)))
    foreign = Pictures(foreign.vectors, logits=rng.normal(size=(100, 3)))
    fitted = LogisticFusion((MahalanobisPP(), OnLogits("noise", energy)), foreign).fit(known)
    assert fitted.weights[0] > 4 * abs(fitted.weights[1])
    new = Pictures(cloud(200, 2).vectors, logits=rng.normal(size=(200, 3)))
    assert fitted.score(new).mean() < 0 < fitted.score(foreign).mean()


def test_logistic_regression_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    known, foreign = cloud(300, 0, apart=0.3), elsewhere(60, 1)
    fitted = LogisticFusion((Knn(), CentreCosine()), foreign, seed=1).fit(known)
    _, kept = parted("", known, 0.4, 20, 1)
    rows = [
        (np.stack([one.score(part) for one in fitted.parts], axis=1) - fitted.middles)
        / fitted.spreads
        for part in (known.part(kept), foreign)
    ]
    truth = np.repeat([0, 1], [len(part) for part in rows])
    weights = np.concatenate([np.full(len(part), 1 / len(part)) for part in rows])
    count = len(truth)
    other = LogisticRegression(C=count, tol=1e-10, max_iter=10_000)
    other.fit(np.concatenate(rows), truth, sample_weight=weights)
    assert fitted.weights == pytest.approx(np.ravel(other.coef_), rel=1e-2)
    assert fitted.bias == pytest.approx(float(np.ravel(other.intercept_)[0]), rel=1e-2)


def test_misuse_is_told():
    with pytest.raises(ScoreError, match="fisher: needs 100 pictures or more to learn from"):
        FisherFusion(PAIR).fit(cloud(99, 0))
    with pytest.raises(ScoreError, match="fisher: needs one score or more"):
        FisherFusion(()).fit(cloud(200, 0))
    with pytest.raises(ScoreError, match="share that is kept must be between 0 and 1, got 1"):
        FisherFusion(PAIR, share=1).fit(cloud(200, 0))
    with pytest.raises(ScoreError, match="logistic: needs 10 foreign pictures or more"):
        LogisticFusion(PAIR, elsewhere(9, 0)).fit(cloud(200, 0))
    with pytest.raises(ScoreError, match="gives all known pictures the same score"):
        ranks_of("it", np.ones(30))
    with pytest.raises(ScoreError, match="needs 20 known pictures or more that nothing was fitted"):
        ranks_of("it", np.arange(19.0))
    with pytest.raises(ScoreError, match="scores that are not finite numbers"):
        ranks_of("it", np.array([np.nan] * 30))
    same = Pictures(cloud(100, 0).vectors, logits=np.tile([1.0, 2.0], (100, 1)))
    with pytest.raises(ScoreError, match="energy: gives known pictures hardly differing scores"):
        LogisticFusion((OnLogits("energy", energy),), same).fit(same)
