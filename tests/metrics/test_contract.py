"""What all measures of maps share."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils import check_random_state

from sk_erts import metrics
from tests.metrics.linear import Counting, linear
from tests.strategies import rising, seeds, tied_maps

# How to find, in what a measure returns, the arrays with one row for each record.
EVERY = {
    "comprehensiveness": lambda drops: [drops],
    "curve_area": lambda areas: [areas],
    "deletion_curve": lambda curve: [curve[1]],
    "evidence_enrichment": lambda ratios: [ratios],
    "evidence_mass": lambda shares: [shares],
    "faithfulness": lambda areas: list(areas.values()),
    "insertion_curve": lambda curve: [curve[1]],
    "map_agreement": lambda agreement: [agreement],
    "max_sensitivity": lambda changes: [changes],
    "pointing_game": lambda hits: [hits],
    "sufficiency": lambda drops: [drops],
    "survives_randomisation": lambda report: [report.agreement],
}
# These look at the order of the values alone.
ORDINAL = [
    "comprehensiveness",
    "deletion_curve",
    "faithfulness",
    "insertion_curve",
    "map_agreement",
    "pointing_game",
    "sufficiency",
]
# These know labels and probabilities, and no maps.
OF_PREDICTIONS = {"expected_calibration_error", "risk_coverage", "subset_accuracy"}
# These give each record its own random numbers.
DRAWS = {"faithfulness", "max_sensitivity"}

by_name = pytest.mark.parametrize("name", EVERY)


def parameters(name):
    return inspect.signature(getattr(metrics, name)).parameters


def taking(*wanted):
    """Pairs of measures and those of some parameters that they take."""
    return pytest.mark.parametrize(
        ("name", "parameter"),
        [(name, each) for name in EVERY for each in wanted if each in parameters(name)],
    )


def problem(n=7, n_leads=2, n_times=15, seed=0, *, leads=False):
    """Arguments for every measure; maps have no ties."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(3, n_leads, n_times))
    shape = (n, n_leads, n_times) if leads else (n, n_times)
    evidence = rng.random((n, n_times)) < 0.4
    evidence[:, n_times // 2] = True
    return {
        "predict": linear(*weights),
        "explain": lambda X: X * weights[0],
        "X": rng.normal(size=(n, n_leads, n_times)),
        "maps": rng.normal(size=shape),
        "others": rng.normal(size=shape),
        "randomised_maps": rng.normal(size=shape),
        "evidence": evidence,
        "fractions": np.linspace(0, 1, 5),
        "scores": rng.normal(size=(n, 5)),
    }


def call(name, given, **changes):
    """Call a measure with those arguments of a problem that it takes."""
    wanted = parameters(name)
    arguments = {key: value for key, value in given.items() if key in wanted}
    if "random_state" in wanted:
        arguments["random_state"] = 0
    return getattr(metrics, name)(**arguments | changes)


def rows(name, result):
    return EVERY[name](result)


def test_completeness__every_measure_is_under_the_contract():
    # The table of all of them asks a classifier, and has a test of its own.
    others = {"evaluate_explanations", *OF_PREDICTIONS}
    assert set(EVERY) == set(metrics.__all__) - others


@by_name
@pytest.mark.parametrize("leads", [False, True])
def test_a_finite_value_for_each_record(name, leads):
    for values in rows(name, call(name, problem(leads=leads))):
        assert len(values) == 7
        assert values.dtype == np.float64
        assert np.isfinite(values).all()


@by_name
def test_arguments_and_global_randomness_are_left_alone(name):
    given = problem()
    for value in given.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    everybodys = check_random_state(None)
    before = everybodys.get_state(legacy=False)["state"]

    call(name, given)

    after = everybodys.get_state(legacy=False)["state"]
    np.testing.assert_array_equal(after["key"], before["key"])
    assert after["pos"] == before["pos"]


@by_name
def test_the_seed_decides(name):
    first, again = (rows(name, call(name, problem())) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", sorted(EVERY.keys() - DRAWS))
@given(order=st.permutations(range(7)), seed=seeds)
def test_records_can_be_permuted(name, order, seed):
    given = problem(seed=seed)
    permuted = {
        key: value[list(order)]
        if isinstance(value, np.ndarray) and key != "fractions"
        else value
        for key, value in given.items()
    }
    before, after = (rows(name, call(name, each)) for each in (given, permuted))
    np.testing.assert_allclose(after[0], before[0][list(order)], atol=1e-12)


def test_the_areas_of_faithfulness_without_chance_can_be_permuted():
    given = problem()
    turned = given | {"X": given["X"][::-1], "maps": given["maps"][::-1]}
    before, after = call("faithfulness", given), call("faithfulness", turned)
    for key in ("deletion", "insertion"):
        np.testing.assert_allclose(after[key], before[key][::-1], atol=1e-12)


@taking("batch_size")
def test_batches_are_bounded_and_change_nothing(name, parameter):
    expected = rows(name, call(name, problem()))
    for batch_size in (1, 3, 1000):
        given = problem()
        asked = "predict" if "predict" in parameters(name) else "explain"
        given[asked] = Counting(given[asked])

        result = rows(name, call(name, given, batch_size=batch_size))

        assert max(given[asked].sizes) <= batch_size
        if batch_size == 3:
            assert 3 in given[asked].sizes
        for one, other in zip(expected, result, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("name", ORDINAL)
@given(maps=tied_maps(), rise=rising, seed=seeds)
def test_only_the_order_of_values_counts(name, maps, rise, seed):
    given = problem(
        len(maps), maps.shape[1] if maps.ndim == 3 else 2, maps.shape[-1], seed
    )
    given |= {"maps": maps, "others": np.roll(maps, 1, axis=-1)}

    before = rows(name, call(name, given))
    after = rows(name, call(name, given | {"maps": rise(maps)}))

    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-12)


ARRAYS = ("X", "maps", "others", "randomised_maps", "fractions", "scores")


@taking(*ARRAYS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(name, parameter, bad):
    given = problem()
    given[parameter].flat[2] = bad
    message = (
        f"The '{parameter}' parameter of {name} must be an array of finite numbers. "
        "Got 1 NaN or infinite values instead."
    )
    with pytest.raises(ValueError, match=message):
        call(name, given)


@taking(*ARRAYS, "evidence")
@pytest.mark.parametrize("bad", ["words", [[1, 2], [3]], None])
def test_what_is_no_array_of_numbers_is_refused(name, parameter, bad):
    kind = "a bool array" if parameter == "evidence" else "an array of finite numbers"
    message = f"The '{parameter}' parameter of {name} must be {kind}. "
    with pytest.raises(ValueError, match=message):
        call(name, problem(), **{parameter: bad})


@taking(*ARRAYS, "evidence")
def test_a_wrong_number_of_dimensions_is_refused(name, parameter):
    given = problem()
    given[parameter] = given[parameter][np.newaxis, ..., np.newaxis]
    shape = str(given[parameter].shape).replace("(", "\\(").replace(")", "\\)")
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of {name}.*{shape}"):
        call(name, given)


@taking("maps", "others", "randomised_maps", "evidence")
@pytest.mark.parametrize("axis", [0, 1])
def test_shapes_that_do_not_fit_are_refused(name, parameter, axis):
    given = problem()
    given[parameter] = given[parameter].swapaxes(0, axis)[1:].swapaxes(0, axis)
    with pytest.raises(ValueError, match=rf"parameter of {name} must .*Got shape \("):
        call(name, given)


@taking("X", "maps")
def test_no_record_is_refused(name, parameter):
    given = problem()
    given[parameter] = given[parameter][:0]
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of {name} must"):
        call(name, given)


@taking("n_steps", "window", "batch_size", "n_draws", "n_shuffles", "tolerance")
@pytest.mark.parametrize("bad", [-1, 1.5, True, "a", None])
def test_a_count_must_be_one(name, parameter, bad):
    low = 0 if parameter == "tolerance" else 1
    message = (
        f"The '{parameter}' parameter of {name} must be an int "
        rf"(of at least {low}|in \[{low}, 15\])\. "
        f"Got {bad!r} instead"
    )
    with pytest.raises(ValueError, match=message):
        call(name, problem(), **{parameter: bad})


@taking("radius", "share", "threshold")
@pytest.mark.parametrize("bad", [-1, np.nan, np.inf, "a", True, None])
def test_a_number_must_be_one(name, parameter, bad):
    message = f"The '{parameter}' parameter of {name} must be a .*number above "
    with pytest.raises(ValueError, match=message):
        call(name, problem(), **{parameter: bad})


@taking("share", "threshold")
def test_a_share_is_at_most_one(name, parameter):
    with pytest.raises(ValueError, match=f"'{parameter}' .* at most 1. Got 1.1"):
        call(name, problem(), **{parameter: 1.1})


@taking("share")
def test_a_share_must_be_given(name, parameter):
    with pytest.raises(ValueError, match=f"'share' parameter of {name}.*Got no number"):
        call(name, problem(), share=[])


@taking("window")
def test_a_window_fits_a_record(name, parameter):
    with pytest.raises(ValueError, match="an int in \\[1, 15\\]. Got 16 instead"):
        call(name, problem(), window=16)


@taking("order", "measure", "baseline")
def test_a_misspelt_name_gets_the_nearest(name, parameter):
    near = {"order": "descending", "measure": "spearman", "baseline": "mean"}[parameter]
    message = f"'{parameter}' parameter of {name} must.*Did you mean '{near}'?"
    with pytest.raises(ValueError, match=message):
        call(name, problem(), **{parameter: near[:-1]})
    with pytest.raises(ValueError, match=f"must.*'{near}'"):
        call(name, problem(), **{parameter: "zzz"})


@taking("order", "measure")
def test_what_is_no_name_is_refused(name, parameter):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter .* Got 3 instead"):
        call(name, problem(), **{parameter: 3})


@taking("target")
@pytest.mark.parametrize(
    "bad", [-1, 1.0, "a", True, np.zeros(7), [0, 1], [0] * 6 + [-1]]
)
def test_a_target_must_be_a_column(name, parameter, bad):
    message = f"The 'target' parameter of {name} must be a column of the scores, from 0"
    with pytest.raises(ValueError, match=message):
        call(name, problem(), target=bad)


@taking("target")
@pytest.mark.parametrize("bad", [3, [0, 1, 2, 0, 1, 2, 3]])
def test_a_target_beyond_the_scores_is_refused(name, parameter, bad):
    message = f"'target' parameter of {name} must be .* 0 to 2. Got 3 instead"
    with pytest.raises(ValueError, match=message):
        call(name, problem(), target=bad)


@taking("target")
def test_by_default_the_highest_score_of_the_whole_record_is_explained(name, parameter):
    given = problem()
    highest = given["predict"](given["X"]).argmax(axis=1)
    assert len(set(highest)) == 3
    expected = rows(name, call(name, given, target=highest))
    for one, other in zip(expected, rows(name, call(name, given)), strict=True):
        np.testing.assert_array_equal(one, other)
    one_for_all = rows(name, call(name, given, target=0))
    np.testing.assert_array_equal(
        one_for_all[0][highest == 0], expected[0][highest == 0]
    )
    assert (one_for_all[0][highest != 0] != expected[0][highest != 0]).any()


@taking("predict", "explain")
@pytest.mark.parametrize("bad", [None, "predict_proba", 3])
def test_a_function_must_be_one(name, parameter, bad):
    with pytest.raises(ValueError, match=f"'{parameter}' .* must be a function of rec"):
        call(name, problem(), **{parameter: bad})


@taking("predict", "explain")
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            lambda X: np.zeros(len(X)),
            r"must return .* shape \(n_samples, .*Got shape \(",
        ),
        (lambda X: np.zeros((len(X) - 1, 3)), r"must return .*Got shape \("),
        (lambda X: np.zeros((len(X), 0)), r"must return .*Got shape \("),
        (lambda X: np.full((len(X), 3), np.nan), "must return an array of finite numb"),
    ],
)
def test_what_a_function_returns_is_checked(name, parameter, bad, message):
    with pytest.raises(
        ValueError, match=f"'{parameter}' parameter of {name} {message}"
    ):
        call(name, problem(), **{parameter: bad})


@taking("baseline")
def test_a_baseline_must_fit_a_record(name, parameter):
    message = r"'baseline' .* fits a record \(2, 15\). Got shape \(3, 1\) instead"
    with pytest.raises(ValueError, match=message):
        call(name, problem(), baseline=np.zeros((3, 1)))
    with pytest.raises(ValueError, match="'baseline' .* must be an array of finite"):
        call(name, problem(), baseline=np.nan)
