"""What every transformer of records promises, and what each one does."""

import inspect
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import TransformerMixin, clone
from sklearn.ensemble import BaggingClassifier
from sklearn.inspection import permutation_importance
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import sk_erts.preprocessing
from sk_erts import ERTSClassifier
from sk_erts.datasets import STANDARD_LEADS
from sk_erts.preprocessing import (
    BandPass,
    FixLength,
    Flatten,
    Notch,
    RemoveBaseline,
    Resample,
    SelectLeads,
    Standardize,
    Unflatten,
)
from tests.conftest import bumps

FS = 100
TWELVE = list(STANDARD_LEADS)
TRANSFORMERS = [
    BandPass(FS),
    BandPass(FS, low=None),
    BandPass(FS, high=None),
    Notch(FS, frequency=25),
    RemoveBaseline(FS),
    Resample(FS, 50),
    Resample(FS, 257),
    SelectLeads(["V1", "II"]),
    FixLength(FS, 3),
    FixLength(FS, 3, how="center"),
    FixLength(FS, 2, how="crop"),
    Standardize(),
    Standardize("record"),
    Standardize("lead"),
    Flatten(),
    Unflatten(12),
    Unflatten(12, 100),
]
ids = [repr(transformer).replace(" ", "") for transformer in TRANSFORMERS]
every = pytest.mark.parametrize("transformer", TRANSFORMERS, ids=ids)

RNG = np.random.default_rng(0)
X = RNG.normal(scale=0.4, size=(5, 12, 300)).astype(np.float32)


def test_completeness__every_transformer_is_under_contract():
    public = {getattr(sk_erts.preprocessing, n) for n in sk_erts.preprocessing.__all__}
    assert public == {type(transformer) for transformer in TRANSFORMERS}
    assert all(inspect.isclass(t) and issubclass(t, TransformerMixin) for t in public)


@parametrize_with_checks(
    [t for t in TRANSFORMERS if not isinstance(t, SelectLeads | FixLength | Unflatten)]
    + [FixLength(FS, 0.03), FixLength(FS, 0.03, how="center"), Unflatten(1)]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@every
class TestContract:
    def test_keeps_single_precision_and_leaves_its_input_alone(self, transformer):
        before = X.copy()
        result = clone(transformer).fit_transform(X)
        assert result.dtype == np.float32
        assert result.ndim == (2 if isinstance(transformer, Flatten) else 3)
        assert len(result) == len(X)
        assert np.isfinite(result).all()
        np.testing.assert_array_equal(X, before)

    def test_a_record_does_not_depend_on_the_others(self, transformer):
        transformer = clone(transformer).fit(X)
        alone = np.concatenate([transformer.transform(X[i : i + 1]) for i in range(5)])
        np.testing.assert_allclose(transformer.transform(X), alone, atol=1e-6)

    def test_records_of_different_lengths(self, transformer):
        records = [X[0], X[1, :, :250], X[2, :, :280]]
        transformer = clone(transformer).fit(X)
        result = transformer.transform(records)
        as_objects = np.empty(3, dtype=object)
        as_objects[:] = records
        again = transformer.transform(as_objects)
        for record, done, same in zip(records, result, again, strict=True):
            expected = transformer.transform(record[np.newaxis])[0]
            assert done.dtype == np.float32
            np.testing.assert_allclose(done, expected, atol=1e-6)
            np.testing.assert_array_equal(done, same)

    def test_more_records_than_are_done_at_once(self, transformer):
        many = np.tile(X[:, :, :220], (60, 1, 1))  # 300 of them
        transformer = clone(transformer).fit(many)
        result = transformer.transform(many)
        np.testing.assert_allclose(result[-5:], result[:5], atol=1e-6)

    def test_bad_records_are_named(self, transformer):
        transformer = clone(transformer).fit(X)
        for spoilt in (np.nan, np.inf):
            records = [X[0].copy(), X[1, :, :250].copy()]
            records[1][3, 7] = spoilt
            with pytest.raises(ValueError, match="Record 1 of X of .* NaN or infinity"):
                transformer.transform(records)
        with pytest.raises(ValueError, match=r"Record 1 .*Got \(3, 100\) instead"):
            transformer.transform([X[0], X[1, :3, :100]])
        with pytest.raises(ValueError, match=r"must have the shape .*Got \(1, 5, 12,"):
            clone(transformer).fit(X[np.newaxis])


def wave(frequency, fs=FS, seconds=10, n_leads=1):
    t = np.arange(round(fs * seconds)) / fs
    return np.tile(np.sin(2 * np.pi * frequency * t), (1, n_leads, 1))


def middle(x):
    """Return records without their first and last fifth, where filters swing in."""
    n = x.shape[-1]
    return x[..., n // 5 : -n // 5]


class TestBandPass:
    @pytest.mark.parametrize("frequency", [2, 5, 10, 20])
    def test_keeps_what_lies_in_the_band_where_it_is(self, frequency):
        x = wave(frequency, seconds=20)
        result = BandPass(FS, 0.5, 40).fit_transform(x)
        np.testing.assert_allclose(middle(result), middle(x), atol=0.02)

    @pytest.mark.parametrize("frequency", [0, 0.05, 48])
    def test_takes_out_what_does_not(self, frequency):
        x = wave(frequency, seconds=60) + 1
        result = BandPass(FS, 0.5, 40).fit_transform(x)
        assert abs(middle(result)).max() < 0.05

    def test_has_half_the_gain_at_its_edges(self):
        x = wave(10, seconds=30)
        for band in ((10, 40), (1, 10)):
            gain = middle(BandPass(FS, *band).fit_transform(x)).std() / middle(x).std()
            assert gain == pytest.approx(0.5, abs=0.02)

    def test_one_sided(self):
        x = wave(2) + wave(30)
        low = BandPass(FS, None, 10).fit_transform(x)
        high = BandPass(FS, 10, None).fit_transform(x)
        np.testing.assert_allclose(middle(low), middle(wave(2)), atol=0.02)
        np.testing.assert_allclose(middle(high), middle(wave(30)), atol=0.02)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"fs": 0}, "'fs' .*above 0. Got 0"),
            ({"high": 50}, "'high' .*above 0.5 and below 50. Got 50"),
            ({"low": 45}, "'high' .*above 45"),
            ({"low": None, "high": None}, "'high' .*where 'low' is None"),
            ({"order": -1}, "'order'"),
        ],
    )
    def test_parameters(self, params, message):
        with pytest.raises(ValueError, match=message):
            BandPass(**{"fs": FS} | params).fit(X)


class TestNotch:
    def test_takes_out_one_frequency_and_no_other(self):
        x = wave(10, 500) + wave(50, 500)
        result = Notch(500).fit_transform(x)
        np.testing.assert_allclose(middle(result), middle(wave(10, 500)), atol=0.02)

    def test_mains_at_half_the_sampling_frequency_cannot_be_taken_out(self):
        with pytest.raises(ValueError, match="'frequency' .*below 50. Got 50"):
            Notch(FS).fit(X)


class TestRemoveBaseline:
    def test_removes_wander_and_keeps_spikes(self):
        x = 0.5 * wave(0.15)
        x[..., 500:504] += 1.0  # 40 ms
        result = RemoveBaseline(FS).fit_transform(x)
        assert abs(np.delete(middle(result), range(300, 304), axis=-1)).max() < 0.1
        assert result[0, 0, 501] > 0.9

    def test_is_the_two_medians_of_de_chazal(self):
        from scipy.signal import medfilt

        x = X[0, 0]
        inner = slice(60, -60)  # medfilt sees zeros beyond the ends
        expected = x - medfilt(medfilt(x, 21), 61)
        result = RemoveBaseline(FS).fit_transform(X[:1])[0, 0]
        np.testing.assert_allclose(result[inner], expected[inner], atol=1e-6)


class TestResample:
    @pytest.mark.parametrize(("fs_in", "fs_out"), [(500, 100), (100, 500), (360, 250)])
    def test_waves_keep_their_place_in_time(self, fs_in, fs_out):
        result = Resample(fs_in, fs_out).fit_transform(wave(5, fs_in))
        assert result.shape[-1] == 10 * fs_out
        np.testing.assert_allclose(middle(result), middle(wave(5, fs_out)), atol=0.01)

    def test_what_the_new_rate_cannot_hold_is_gone(self):
        assert abs(middle(Resample(500, 100).fit_transform(wave(80, 500)))).max() < 0.05

    def test_an_offset_makes_no_step_at_the_ends(self):
        result = Resample(500, 100).fit_transform(np.full((1, 1, 5000), 3.0))
        np.testing.assert_allclose(result, 3.0, atol=1e-6)

    def test_the_same_rate_changes_nothing(self):
        np.testing.assert_array_equal(Resample(FS, FS).fit_transform(X), X)

    @pytest.mark.parametrize(
        ("fs_in", "fs_out"), [(48_000, 20), (1000, 0.4), (5000.5, 0.5), (0.4, 1000)]
    )
    def test_rates_may_be_far_apart(self, fs_in, fs_out):
        slow = min(fs_in, fs_out)
        given, expected = (wave(slow / 20, fs, 60 / slow) for fs in (fs_in, fs_out))
        result = Resample(fs_in, fs_out).fit_transform(given)
        assert result.shape == expected.shape
        np.testing.assert_allclose(middle(result), middle(expected), atol=0.01)

    def test_rates_may_be_near_each_other(self):
        fs_in, fs_out, seconds = 200, 199.99, 1000  # ten time steps less
        result = Resample(fs_in, fs_out).fit_transform(wave(5, fs_in, seconds))
        expected = wave(5, fs_out, seconds)
        assert result.shape == expected.shape
        np.testing.assert_allclose(middle(result), middle(expected), atol=0.01)

    @pytest.mark.parametrize(
        ("fs_in", "fs_out"), [(1e6, 1), (1, 1e6), (100, 100.0005), (np.pi * 1e5, 1)]
    )
    def test_a_ratio_without_a_filter_is_refused(self, fs_in, fs_out):
        message = "'fs_out' parameter of Resample must be in a ratio of whole numbers"
        with pytest.raises(ValueError, match=message):
            Resample(fs_in, fs_out).fit(X)

    @given(fs_in=st.floats(1, 5000), fs_out=st.floats(1, 5000))
    def test_every_ratio_is_right_to_a_millionth_or_refused(self, fs_in, fs_out):
        transformer = Resample(fs_in, fs_out)
        try:
            factor = transformer._factor()
        except ValueError:
            ratio = Fraction(min(fs_in, fs_out)) / Fraction(max(fs_in, fs_out))
            nearest = ratio.limit_denominator(100_000)
            assert abs(nearest - ratio) > 1e-6 * ratio
        else:
            assert float(factor) == pytest.approx(fs_out / fs_in, rel=1.1e-6)


class TestSelectLeads:
    def test_order_and_names(self):
        result = SelectLeads(["V6", "I"]).fit_transform(X)
        np.testing.assert_array_equal(result, X[:, [TWELVE.index("V6"), 0]])

    def test_limb_leads_from_two(self):
        one, two = X[:, :1], X[:, 1:2]
        names = ["III", "aVR", "aVL", "aVF", "II"]
        result = SelectLeads(names, ["II", "I"]).fit_transform(
            np.concatenate([two, one], axis=1)
        )
        expected = [two - one, -(one + two) / 2, one - two / 2, two - one / 2, two]
        np.testing.assert_allclose(result, np.concatenate(expected, axis=1), atol=1e-6)

    def test_a_lead_that_is_there_is_not_derived(self):
        result = SelectLeads(["III"]).fit_transform(X)
        np.testing.assert_array_equal(result, X[:, 2:3])

    def test_upper_and_lower_case_are_one(self):
        X = np.random.default_rng(0).normal(size=(2, 12, 9))
        folded = [name.upper() for name in TWELVE]
        result = SelectLeads(["avr", "v1"], lead_names=folded).fit_transform(X)
        np.testing.assert_array_equal(result, X[:, [3, 6]])

    @pytest.mark.parametrize(
        ("names", "leads", "message"),
        [
            (["aVFF"], TWELVE, r"'names\[0\]' .*Got 'aVFF' .*Did you mean 'aVF'"),
            (["III"], ["I", "V1"], "be 'I' or 'V1'. Got 'III'"),
            ("II", TWELVE, "sequence of one name or more. Got 'II'"),
            ([], TWELVE, "sequence of one name or more"),
        ],
    )
    def test_parameters(self, names, leads, message):
        with pytest.raises(ValueError, match=message):
            SelectLeads(names, leads).fit(X)

    def test_another_number_of_leads(self):
        with pytest.raises(
            ValueError, match=r"'lead_names' .* each of the 2 leads of X. Got \("
        ):
            SelectLeads(["I"]).fit(X[:, :2])


class TestFixLength:
    @pytest.mark.parametrize(
        ("how", "n_in", "expected"),
        [
            ("pad", 3, [1, 2, 3, 0, 0]),
            ("pad", 7, [1, 2, 3, 4, 5]),
            ("center", 3, [0, 1, 2, 3, 0]),
            ("center", 2, [0, 1, 2, 0, 0]),
            ("center", 7, [2, 3, 4, 5, 6]),
            ("crop", 7, [1, 2, 3, 4, 5]),
            ("crop", 5, [1, 2, 3, 4, 5]),
        ],
    )
    def test_hand_made(self, how, n_in, expected):
        x = np.arange(1.0, n_in + 1)[np.newaxis, np.newaxis]
        result = FixLength(fs=1, duration_s=5, how=how).fit_transform(x)
        assert result[0, 0].tolist() == expected

    def test_crop_refuses_what_is_too_short(self):
        with pytest.raises(ValueError, match="5 time steps or more .*Got one with 3"):
            FixLength(1, 5, "crop").fit_transform(np.ones((1, 1, 3)))

    def test_lists_become_one_array(self):
        result = FixLength(FS, 1).fit_transform([X[0], X[1, :, :50]])
        assert result.shape == (2, 12, 100)
        assert result.dtype == np.float32
        assert not result[1, :, 50:].any()


class TestStandardize:
    def test_one_scale_keeps_amplitudes_apart(self):
        scaled = Standardize().fit_transform(X * np.arange(1, 6)[:, None, None])
        assert scaled.mean() == pytest.approx(0, abs=1e-5)
        assert scaled.std() == pytest.approx(1, abs=1e-5)
        assert scaled[4].std() > 4 * scaled[0].std()

    def test_is_learned_from_the_training_records(self):
        scaler = Standardize().fit(X)
        np.testing.assert_allclose(
            scaler.transform(X + 1), (X + 1 - X.mean()) / X.std(), rtol=1e-3, atol=1e-4
        )

    @given(n=st.integers(1, 400), offset=st.floats(-100, 100))
    def test_moments_in_pieces_are_those_of_the_whole(self, n, offset):
        x = np.random.default_rng(n).normal(offset, 2, size=(n, 2, 3))
        scaler = Standardize().fit(x)
        assert scaler.mean_ == pytest.approx(x.mean())
        assert scaler.scale_ == pytest.approx(x.std())

    @pytest.mark.parametrize(("per", "axes"), [("record", (1, 2)), ("lead", (2,))])
    def test_each_by_itself(self, per, axes):
        scaled = Standardize(per).fit_transform(X * 3 + 2)
        np.testing.assert_allclose(scaled.mean(axis=axes), 0, atol=1e-5)
        np.testing.assert_allclose(scaled.std(axis=axes), 1, atol=1e-4)

    def test_flat_leads_and_records_become_zero(self):
        flat = X.copy()
        flat[0, 3] = 0.7
        flat[1] = -2.0
        scaled = Standardize("lead").fit_transform(flat)
        assert not scaled[0, 3].any()
        assert not scaled[1].any()
        assert not Standardize("record").fit_transform(flat)[1].any()
        assert not Standardize().fit_transform(np.full((2, 2, 5), 3.0)).any()


class TestFlatten:
    def test_puts_leads_one_behind_the_other(self):
        flat = Flatten().fit_transform(X)
        np.testing.assert_array_equal(flat, np.concatenate(X.swapaxes(0, 1), axis=1))
        np.testing.assert_array_equal(Flatten().fit_transform(flat), flat)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_there_and_back(self, dtype):
        there_and_back = make_pipeline(Flatten(), Unflatten(12))
        result = there_and_back.fit_transform(X.astype(dtype))
        np.testing.assert_array_equal(result, X)
        assert result.dtype == dtype

    def test_there_and_back_with_records_of_different_lengths(self):
        records = [X[0], X[1, :, :250]]
        flat = Flatten().transform(records)
        assert [record.shape for record in flat] == [(3600,), (3000,)]
        for record, back in zip(records, Unflatten(12).transform(flat), strict=True):
            np.testing.assert_array_equal(record, back)


class TestUnflatten:
    def test_what_is_behind_the_leads_becomes_constant_leads(self):
        flat = np.arange(16.0).reshape(2, 8)
        result = Unflatten(n_leads=2, n_times=3).fit_transform(flat)
        assert result[1].tolist() == [[8, 9, 10], [11, 12, 13], [14] * 3, [15] * 3]

    def test_records_of_that_many_leads_are_left_as_they_are(self):
        np.testing.assert_array_equal(Unflatten(12).fit_transform(X), X)

    @pytest.mark.parametrize(
        ("unflatten", "shape", "message"),
        [
            (Unflatten(2), (5, 7), "'n_leads' .*divide the 7 values of .*Got 2 inst"),
            (Unflatten(2), (5, 7), "as in a ClassifierChain, give 'n_times'"),
            (Unflatten(9), (5, 7), "divide the 7 values of a record. Got 9"),
            (Unflatten(2, 4), (5, 7), "'n_times' .*at most 3, .* 7 values .* Got 4"),
            (Unflatten(2), (5, 3, 7), "'n_leads' .*be 3, the number of leads .*Got 2"),
            (Unflatten(0), (5, 7), "'n_leads' .*an int of at least 1. Got 0"),
            (Unflatten(2, 1.5), (5, 7), "'n_times' .*an int of at least 1. Got 1.5"),
        ],
    )
    def test_parameters(self, unflatten, shape, message):
        with pytest.raises(ValueError, match=message):
            unflatten.fit_transform(np.ones(shape))


class TestWhatTakesTwoDimensions:
    RECORDS, CODES, _ = bumps(60, n_times=32)
    FLAT = Flatten().fit_transform(RECORDS)

    @pytest.fixture
    def flat_clf(self, small):
        clf = ERTSClassifier(**small | {"max_epochs": 12, "lr": 0.03})
        return make_pipeline(Unflatten(n_leads=2), clf)

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda clf: BaggingClassifier(clf, n_estimators=2, random_state=0),
            OneVsOneClassifier,
            OneVsRestClassifier,
        ],
    )
    def test_of_one_class(self, flat_clf, wrap):
        model = wrap(flat_clf).fit(self.FLAT, self.CODES)
        assert model.score(self.FLAT, self.CODES) > 0.7
        inner = model.estimators_[0][-1]
        assert (inner.n_leads_in_, inner.n_times_in_) == (2, 32)

    def test_a_chain_sees_the_labels_before_it_as_leads(self, flat_clf):
        labels = np.stack([self.CODES == 2, self.CODES != 0, self.CODES == 2], axis=1)
        flat_clf.set_params(unflatten__n_times=32)
        chain = ClassifierChain(flat_clf).fit(self.FLAT, labels.astype(int))
        assert [link[-1].n_leads_in_ for link in chain.estimators_] == [2, 3, 4]
        assert (chain.predict(self.FLAT) == labels).mean() > 0.8

    def test_importance_of_each_sample(self, flat_clf):
        X, y = self.RECORDS.copy(), self.CODES
        X[:, 0] = 0.1 * X[:, 1]
        X[:, 0, 10:13] += 2.0 * (y[:, np.newaxis] - 1)
        flat = Flatten().fit_transform(X)
        flat_clf.fit(flat, y)
        result = permutation_importance(
            flat_clf, flat, y, n_repeats=2, random_state=0, scoring="neg_log_loss"
        )
        importances = Unflatten(2).fit_transform(result.importances_mean[None])[0]
        assert np.argmax(importances) in (10, 11, 12)  # of the first lead


def test_in_a_pipeline_before_the_classifier(small):
    records = [x[:, :n] for x, n in zip(X, (300, 250, 280, 300, 260), strict=True)]
    records, y = records * 4, np.arange(20) % 2
    pipeline = make_pipeline(
        Resample(FS, 50),
        FixLength(50, 4),
        SelectLeads(["I", "II", "V2"]),
        Standardize(),
        ERTSClassifier(**small | {"max_epochs": 2}),
    ).fit(records, y)
    assert pipeline[-1].n_leads_in_ == 3
    assert pipeline[-1].n_times_in_ == 200
    assert pipeline.predict_proba(records).shape == (20, 2)
