from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from of_arrays import average_precision, brier_score, log_loss, roc_auc
from sklearn import metrics as oracle

from govern.stats.calibration import calibration_of
from govern.stats.curves import threshold_grid
from govern.stats.estimate import Estimate
from govern.stats.expected_calibration import expected_calibration_error
from govern.stats.intervals import transformed
from govern.stats.ranked import rank, rank_rows
from govern.stats.scores import Scores, by_groups, scores
from govern.stats.slope import slope_and_intercept

NAMES = ("roc_auc", "average_precision", "log_loss", "brier_score")
MORE = ("gini", "ks_statistic", "lift_top_decile", "mean_score", "calibration_error", "expected_calibration_error",
        "calibration_slope", "calibration_intercept")


def sample(seed: int, n: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores and weights that differ a lot."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.3
    s = 1 / (1 + np.exp(-(rng.normal(size=n) + 1.2 * y - 1)))
    return y, np.round(s, 1) if ties else s, rng.lognormal(0, 1, n)


def estimates(found: Scores) -> dict[str, Estimate]:
    assert found.more is not None
    return {**{k: getattr(found, k) for k in NAMES}, **{k: getattr(found.more, k) for k in MORE}}


def agree(a: Scores, b: Scores, rel: float = 1e-9) -> None:
    """Values, errors and statuses of all metrics agree."""
    for (name, x), z in zip(estimates(a).items(), estimates(b).values(), strict=True):
        assert (x.status, x.transform) == (z.status, z.transform), name
        assert x.value == pytest.approx(z.value, rel=rel, abs=1e-12), name
        assert (x.se is None) == (z.se is None), name
        assert x.se is None or x.se == pytest.approx(z.se, rel=rel, abs=1e-12), name


@pytest.mark.parametrize("ties", [False, True])
def test_weighted_values_equal_scikit_learn(ties: bool) -> None:
    y, s, w = sample(1, 5000, ties=ties)
    found = scores(rank_rows(y, s, w=w))
    assert found.roc_auc.value == pytest.approx(oracle.roc_auc_score(y, s, sample_weight=w), abs=1e-12)
    assert found.average_precision.value == pytest.approx(
        oracle.average_precision_score(y, s, sample_weight=w), abs=1e-12)
    assert found.log_loss.value == pytest.approx(oracle.log_loss(y, s, sample_weight=w), abs=1e-12)
    assert found.brier_score.value == pytest.approx(oracle.brier_score_loss(y, s, sample_weight=w), abs=1e-12)
    assert found.more is not None
    assert found.more.mean_score.value == pytest.approx(np.average(s, weights=w), abs=1e-12)
    fpr, tpr, _ = oracle.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
    assert found.more.ks_statistic.value == pytest.approx(np.abs(tpr - fpr).max(), abs=1e-12)


def test_weighted_errors_are_the_derivatives_by_weights() -> None:
    """Σ (w · ∂metric/∂w)², by finite differences of scikit-learn, apart from the small-sample factors."""
    y, s, w = sample(2, 120, ties=True)

    def error(metric: object) -> float:
        total = 0.0
        for i in range(len(y)):
            up, down, step = w.copy(), w.copy(), 1e-5 * w[i]
            up[i] += step
            down[i] -= step
            total += ((metric(up) - metric(down)) / 2e-5) ** 2  # type: ignore[operator]
        return math.sqrt(total)

    ap = average_precision(y, s, w)
    assert ap.value is not None and ap.se is not None
    slope = error(lambda v: oracle.average_precision_score(y, s, sample_weight=v))
    assert ap.se * ap.value * (1 - ap.value) == pytest.approx(slope, rel=1e-5)
    n, n2 = w.sum(), (w**2).sum()
    small = math.sqrt(n / (n - n2 / n))
    for found, metric in ((log_loss(y, s, w), oracle.log_loss), (brier_score(y, s, w), oracle.brier_score_loss)):
        assert found.se == pytest.approx(
            small * error(lambda v, m=metric: m(y, s, sample_weight=v)), rel=1e-5)
    auc = roc_auc(y, s, w)
    assert auc.value is not None and auc.se is not None
    plain = error(lambda v: oracle.roc_auc_score(y, s, sample_weight=v))
    factors = [sum(w[c]) / (sum(w[c]) - sum(w[c] ** 2) / sum(w[c])) for c in (y, ~y)]
    ours = auc.se * auc.value * (1 - auc.value)
    assert plain * math.sqrt(min(factors)) <= ours <= plain * math.sqrt(max(factors))


def test_weights_of_one_and_a_constant_change_nothing() -> None:
    y, s, _ = sample(3, 700, ties=True)
    plain = scores(rank_rows(y, s))
    agree(scores(rank_rows(y, s, w=np.ones(700))), plain)
    agree(scores(rank_rows(y, s, w=np.full(700, 0.37))), plain)
    agree(scores(rank_rows(y, s, cluster=np.random.default_rng(0).permutation(700))), plain)
    assert scores(rank_rows(y, s, w=np.full(700, 0.37))).n == 700


def test_entries_of_several_rows_are_their_rows() -> None:
    y, s, w = sample(4, 900, ties=True)
    w = np.round(w, 1) + 0.1
    cells, at = np.unique(np.column_stack([s, y]), axis=0, return_inverse=True)
    at = at.ravel()
    n = np.bincount(at)
    rows = rank_rows(cells[:, 1] > 0, cells[:, 0], n)
    assert scores(rows) == scores(rank_rows(y, s))
    weighted = rank_rows(cells[:, 1] > 0, cells[:, 0], n, np.bincount(at, w), np.bincount(at, w * w))
    agree(scores(weighted), scores(rank_rows(y, s, w=w)))
    assert scores(weighted).n == 900


@pytest.mark.parametrize("weighted", [False, True])
def test_doubled_persons_say_as_much_as_once(weighted: bool) -> None:
    """Each row twice with one person's code: every estimate and error is that of the single rows."""
    y, s, w = sample(5, 400, ties=True)
    given = w if weighted else None
    twice = rank_rows(np.repeat(y, 2), np.repeat(s, 2), w=np.repeat(w, 2) if weighted else None,
                      cluster=np.repeat(np.arange(400) * 7, 2))
    found, once = scores(twice), scores(rank_rows(y, s, w=given, cluster=np.arange(400)))
    agree(found, once)
    assert found.n == 800
    assert found.more is not None
    assert found.more.p_value is None
    assert found.more.p_reason == "rows repeat persons, and the test is for independent rows"
    few = scores(rank_rows(np.repeat(y[:25], 8), np.repeat(s[:25], 8), cluster=np.repeat(np.arange(25), 8)))
    assert few.roc_auc.status == "too_few"
    assert few.brier_score.status == "too_few"
    assert "effective" in str(few.brier_score.reason)


def test_clustered_errors_are_those_of_the_cluster_bootstrap() -> None:
    rng = np.random.default_rng(6)
    persons = 300
    size = rng.integers(1, 6, persons)
    person = np.repeat(np.arange(persons), size)
    shift = rng.normal(0, 1.2, persons)[person]
    y = rng.random(len(person)) < 1 / (1 + np.exp(1 - shift))
    s = 1 / (1 + np.exp(-(shift + 0.5 * rng.normal(size=len(person)) - 0.6)))
    found = estimates(scores(rank_rows(y, s, cluster=person)))
    rows_of = [np.flatnonzero(person == i) for i in range(persons)]
    names = ("roc_auc", "average_precision", "brier_score", "log_loss", "mean_score", "calibration_slope",
             "calibration_intercept")
    again = []
    for _ in range(250):
        at = np.concatenate([rows_of[i] for i in rng.integers(0, persons, persons)])
        drawn = estimates(scores(rank_rows(y[at], s[at])))
        again.append([drawn[k].value for k in names])
    for name, sd in zip(names, np.std(np.array(again, float), axis=0, ddof=1), strict=True):
        e = found[name]
        assert e.value is not None and e.se is not None
        se = e.se * e.value * (1 - e.value) if e.transform == "logit" else e.se
        assert se == pytest.approx(sd, rel=0.2), name
    plain = estimates(scores(rank_rows(y, s)))["mean_score"].se
    clustered = found["mean_score"].se
    assert plain is not None and clustered is not None and clustered > 1.3 * plain


def test_the_order_of_rows_changes_no_bit_with_weights_and_clusters() -> None:
    y, s, w = sample(7, 1500, ties=True)
    rng = np.random.default_rng(8)
    person, codes = rng.integers(0, 500, 1500), rng.integers(-1, 3, 1500)
    for cluster in (None, person):
        def found(p: np.ndarray, cluster: np.ndarray | None = cluster) -> object:
            rows = rank_rows(y[p], s[p], w=w[p], cluster=None if cluster is None else cluster[p])
            return scores(rows), by_groups(rows, codes[p], 3)
        first = found(np.arange(1500))
        for seed in range(3):
            assert found(np.random.default_rng(seed).permutation(1500)) == first


def test_weighted_groups_and_rests_are_their_rows_alone() -> None:
    y, s, w = sample(9, 1200, ties=True)
    rng = np.random.default_rng(10)
    codes, person = rng.choice([-1, 0, 1, 2], 1200, p=[0.1, 0.5, 0.38, 0.02]), rng.integers(0, 400, 1200)
    for cluster in (None, person):
        rows = rank_rows(y, s, w=w, cluster=cluster)
        for g, both in enumerate(by_groups(rows, codes, 4)):
            for inside, one in ((codes == g, both.own), (codes != g, both.rest)):
                alone = scores(rank_rows(y[inside], s[inside], w=w[inside],
                                         cluster=None if cluster is None else cluster[inside]))
                assert [getattr(one, k) for k in ("n", *NAMES)] == [getattr(alone, k) for k in ("n", *NAMES)]
                if one is both.own:
                    assert one == alone


def test_weighted_calibration_follows_the_weights() -> None:
    """Whole weights give the values of rows repeated so often, and a larger error than those would claim."""
    y, s, _ = sample(11, 3000)
    w = np.random.default_rng(12).integers(1, 5, 3000).astype(float)
    many = np.repeat(np.arange(3000), w.astype(int))
    weighted, repeated = rank(y, s, w), rank(y[many], s[many])
    assert expected_calibration_error(weighted)[0].value == pytest.approx(
        expected_calibration_error(repeated)[0].value, rel=1e-12)
    for a, b in zip(slope_and_intercept(weighted), slope_and_intercept(repeated), strict=True):
        assert a.value == pytest.approx(b.value, rel=1e-9)
        assert a.se is not None and b.se is not None and a.se > b.se
    own, other = calibration_of(weighted), calibration_of(repeated)
    assert [x.mean_score for x in own.bins] == pytest.approx([x.mean_score for x in other.bins], abs=1e-3)
    assert sum(x.n for x in own.bins) == 3000
    assert own.error.se is not None and other.error.se is not None and own.error.se > other.error.se


@pytest.mark.parametrize("given", ["weights", "clusters"])
def test_no_gap_is_seen_in_weighted_or_clustered_data_without_one(given: str) -> None:
    """The squared calibration error has mean 0 and its interval seldom excludes 0."""
    rng = np.random.default_rng(13)
    zero = above = rejected = 0
    runs = 200
    for _ in range(runs):
        if given == "weights":
            s = rng.random(600)
            r = rank(rng.random(600) < s, s, rng.lognormal(0, 0.6, 600))
        else:  # persons of two rows of like scores and one draw
            base, u = rng.random(300), rng.random(300)
            s = np.clip(np.concatenate([base, base + rng.normal(0, 0.02, 300)]), 0, 1)
            r = rank(np.concatenate([u, u]) < s, s, cluster=np.tile(np.arange(300), 2))
        found = calibration_of(r)
        assert found.error.value is not None and found.error.se is not None
        zero += found.error.value == 0
        above += found.error.value**2 > 1.645 * found.error.se
        rejected += found.p_value is not None and found.p_value < 0.05
    assert 0.35 < zero / runs < 0.75
    assert above / runs < 0.1
    assert rejected / runs < 0.1


def test_a_weight_of_zero_is_no_row() -> None:
    y, s, w = sample(14, 400)
    w[200:] = 0
    found, alone = scores(rank_rows(y, s, w=w)), scores(rank_rows(y[:200], s[:200], w=w[:200]))
    for name in NAMES:
        assert getattr(found, name).value == pytest.approx(getattr(alone, name).value, rel=1e-12)
    nothing = scores(rank_rows(y, s, w=np.zeros(400)))
    assert {e.reason for e in estimates(nothing).values()} == {"no rows"}


def test_bad_entries_are_refused() -> None:
    y, s, w = sample(15, 20)
    two = np.full(20, 2)
    with pytest.raises(ValueError, match="one number for each entry"):
        rank_rows(y, s, w=w[1:])
    with pytest.raises(ValueError, match="single rows"):
        rank_rows(y, s, two, w)
    with pytest.raises(ValueError, match="single rows"):
        rank_rows(y, s, two, cluster=np.arange(20))
    with pytest.raises(ValueError, match="fewer than 0 rows"):
        rank_rows(y, s, -two)
    for bad in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="negative, missing or infinite"):
            rank_rows(y, s, w=np.where(np.arange(20) == 3, bad, w))


@given(st.lists(st.tuples(st.booleans(), st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, 1e-300, 1e-16, 0.5, 1 - 1e-16, 1.0]),
    st.floats(allow_nan=False, allow_infinity=False)), st.sampled_from([0.0, 1e-3, 1.0, 7.0]),
    st.integers(0, 3)), max_size=60), st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_whatever_the_rows_every_number_is_finite_or_explained(
        rows: list[tuple[bool, float, float, int]], weighted: bool, clustered: bool) -> None:
    y, s = np.array([r[0] for r in rows], bool), np.array([r[1] for r in rows], float)
    ranked = rank_rows(y, s, w=np.array([r[2] for r in rows], float) if weighted else None,
                       cluster=np.array([r[3] for r in rows], int) if clustered else None)
    codes = np.arange(len(rows)) % 2
    for found in [scores(ranked), *(g.own for g in by_groups(ranked, codes, 2))]:
        for name, e in estimates(found).items():
            assert (e.value is None) == (e.status == "undefined"), name
            assert (e.reason is None) == (e.status == "ok"), name
            for v in (e.value, e.se):
                assert v is None or math.isfinite(v), name
            if e.value is not None and e.se is not None:
                low, high = transformed(e.value, e.se, e.transform, 0.025)
                assert low <= e.value <= high, name
        threshold_grid(ranked, 0.5)
