import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

import sk_erts.datasets
from sk_erts.datasets import STANDARD_LEADS, _synthetic, make_ecg, open_records
from sk_erts.datasets._beats import CLASS_PATTERNS

CLASSES = ("NORM", "AFIB", "BBB", "STE", "HYP", "PVC")
CORRUPTIONS = {"wander", "muscle", "motion", "lost_leads"}
LIMB = {name: k for k, name in enumerate(STANDARD_LEADS[:6])}


def records_of(label, n_samples=40, **options):
    """Return signals and evidence of records of one class."""
    options = {"random_state": 0, **options}
    X, _, evidence = make_ecg(
        n_samples, classes=[label], return_evidence=True, **options
    )
    return X, evidence


def power(X, mask):
    """Return mean square over leads and marked times of slope, in (mV/step)^2."""
    slope = np.gradient(X, axis=2) ** 2
    return np.array([s[:, m].mean() for s, m in zip(slope, mask, strict=True)])


def test_exported_members():
    assert len(set(sk_erts.datasets.__all__)) == len(sk_erts.datasets.__all__)
    assert all(hasattr(sk_erts.datasets, name) for name in sk_erts.datasets.__all__)


# ---------------------------------------------------------------- shapes and values


def test_shapes_and_types():
    X, y, evidence = make_ecg(
        7, n_leads=3, fs=50, duration_s=4, random_state=0, return_evidence=True
    )
    assert X.shape == (7, 3, 200)
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    assert y.shape == (7,)
    assert y.dtype.kind == "U"
    assert evidence.mask.shape == (7, 200)
    assert evidence.mask.dtype == bool
    for key in ("corrupted", "flipped"):
        assert evidence[key].shape == (7,)
        assert evidence[key].dtype == bool
    for key in ("corruption", "y_true"):
        assert evidence[key].shape == (7,)
        assert evidence[key].dtype.kind == "U"
    assert evidence.lead_names == ("II", "V1", "V5")
    assert len(evidence.r_peaks) == 7
    assert all(peaks.dtype.kind == "i" for peaks in evidence.r_peaks)


def test_defaults():
    X, y = make_ecg(random_state=0)
    assert X.shape == (100, 12, 1000)
    assert set(y) == set(CLASSES) == set(CLASS_PATTERNS)


def test_values_are_those_of_ecg_in_mv():
    X, _ = make_ecg(120, random_state=0)
    height = X.max(axis=(1, 2)) - X.min(axis=(1, 2))
    assert height.min() > 0.8
    assert height.max() < 12
    assert 1.5 < np.median(height) < 5
    assert np.abs(np.median(X, axis=2)).max() < 0.5  # the baseline is near 0


@pytest.mark.parametrize(
    ("n_leads", "names"),
    [
        (1, ("II",)),
        (2, ("II", "V1")),
        (8, ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")),
        (12, STANDARD_LEADS),
    ],
)
def test_leads(n_leads, names):
    X, _, evidence = make_ecg(6, n_leads=n_leads, random_state=0, return_evidence=True)
    assert evidence.lead_names == names
    every, _ = make_ecg(6, random_state=0)
    columns = [STANDARD_LEADS.index(name) for name in names]
    assert_allclose(X, every[:, columns], atol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_einthoven_relations(noise):
    X, _, evidence = make_ecg(60, noise=noise, random_state=0, return_evidence=True)
    X = X[evidence.corruption != "lost_leads"]
    lead_1, lead_2 = X[:, LIMB["I"]], X[:, LIMB["II"]]
    assert_allclose(X[:, LIMB["III"]], lead_2 - lead_1, atol=1e-5)
    assert_allclose(X[:, LIMB["aVR"]], -(lead_1 + lead_2) / 2, atol=1e-5)
    assert_allclose(X[:, LIMB["aVL"]], lead_1 - lead_2 / 2, atol=1e-5)
    assert_allclose(X[:, LIMB["aVF"]], lead_2 - lead_1 / 2, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    n_samples=st.integers(1, 9),
    n_leads=st.integers(1, 12),
    fs=st.sampled_from([1, 12.5, 100, 257, 500]),
    duration_s=st.floats(1, 12),
    noise=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_any_size_is_finite(n_samples, n_leads, fs, duration_s, noise, seed):
    X, y, evidence = make_ecg(
        n_samples,
        n_leads,
        fs,
        duration_s,
        noise=noise,
        random_state=seed,
        return_evidence=True,
    )
    assert X.shape == (n_samples, n_leads, round(fs * duration_s))
    assert np.isfinite(X).all()
    assert len(y) == len(evidence.r_peaks) == n_samples
    assert evidence.corrupted.sum() == round(noise * n_samples)


@pytest.mark.parametrize(("fs", "duration_s"), [(1, 1), (1e-3, 1000), (500, 0.002)])
def test_one_time_step(fs, duration_s):
    X, _ = make_ecg(6, fs=fs, duration_s=duration_s, noise=1.0, random_state=0)
    assert X.shape == (6, 12, 1)
    assert np.isfinite(X).all()


def test_r_peaks_are_peaks():
    X, evidence = records_of("NORM", fs=500)
    lead_2 = X[:, LIMB["II"]]
    # The R wave stands out of its surroundings, within 8 ms of where it is said to be.
    off = [
        np.argmax(np.abs(np.gradient(np.gradient(x[peak - 20 : peak + 21]))))
        for x, peaks in zip(lead_2, evidence.r_peaks, strict=True)
        for peak in peaks[1:-1]
    ]
    assert abs(np.median(off) - 20) <= 4
    rate = [
        60 * (len(peaks) - 1) / ((peaks[-1] - peaks[0]) / 500)
        for peaks in evidence.r_peaks
    ]
    assert 50 < min(rate) < 65
    assert 80 < max(rate) < 105


# ------------------------------------------------------------------- randomness


def test_same_seed_same_records():
    first = make_ecg(20, noise=0.4, label_noise=0.2, random_state=3)
    again = make_ecg(
        20, noise=0.4, label_noise=0.2, random_state=3, return_evidence=True
    )
    other = make_ecg(20, noise=0.4, label_noise=0.2, random_state=4)
    assert_array_equal(first[0], again[0])
    assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_a_random_state_instance_is_used_and_moved_on():
    state = np.random.RandomState(0)
    first, _ = make_ecg(4, random_state=state)
    second, _ = make_ecg(4, random_state=state)
    assert not np.array_equal(first, second)
    assert_array_equal(first, make_ecg(4, random_state=np.random.RandomState(0))[0])


def test_global_generator_is_untouched():
    before = np.random.get_state()[1:3]  # noqa: NPY002 (this one must not move)
    make_ecg(10, noise=0.5, label_noise=0.5, random_state=0)
    after = np.random.get_state()[1:3]  # noqa: NPY002
    assert_array_equal(before[0], after[0])
    assert before[1] == after[1]


def test_chunk_size_does_not_matter(monkeypatch):
    options = {"noise": 0.8, "label_noise": 0.2, "random_state": 0, "duration_s": 3}
    whole = make_ecg(23, return_evidence=True, **options)
    for steps in (1, 300 * 5):
        monkeypatch.setattr(_synthetic, "_CHUNK_STEPS", steps)
        parts = make_ecg(23, return_evidence=True, **options)
        assert_allclose(parts[0], whole[0], atol=1e-5)
        assert_array_equal(parts[1], whole[1])
        assert_array_equal(parts[2].mask, whole[2].mask)


def test_memory_is_bounded_by_the_chunk(monkeypatch):
    seen = []
    original = _synthetic.wave_signals

    def spy(*args):
        waves = original(*args)
        seen.append(waves.nbytes)
        return waves

    monkeypatch.setattr(_synthetic, "wave_signals", spy)
    X, _ = make_ecg(600, random_state=0)
    assert len(seen) > 1
    assert max(seen) < X.nbytes / 3


# ------------------------------------------------------------------- to a file


@pytest.fixture
def small_pieces(monkeypatch):
    """Make ten records of one second at a time."""
    monkeypatch.setattr(_synthetic, "_CHUNK_STEPS", 1000)


@pytest.mark.parametrize("n_samples", [1, 10, 64])
def test_a_file_holds_the_same_records_to_the_bit(tmp_path, small_pieces, n_samples):
    options = {"duration_s": 1, "noise": 0.5, "label_noise": 0.2, "random_state": 0}
    X, y, evidence = make_ecg(n_samples, return_evidence=True, **options)
    path = tmp_path / "ecg.npy"
    mapped, labels, seen = make_ecg(
        n_samples, return_evidence=True, out=path, **options
    )
    assert isinstance(mapped, np.memmap)
    assert mapped.mode == "r"
    assert_array_equal(mapped, X)
    assert_array_equal(open_records(path), X)
    assert_array_equal(labels, y)
    assert_array_equal(seen.mask, evidence.mask)
    assert_array_equal(seen.corruption, evidence.corruption)


def test_a_file_is_written_in_bounded_memory(tmp_path, small_pieces):
    tracemalloc.start()
    X, _ = make_ecg(500, duration_s=1, fs=1000, random_state=0, out=tmp_path / "x.npy")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes / 4


def test_a_crash_leaves_no_file(tmp_path, small_pieces, monkeypatch):
    def crash(*args):
        raise KeyboardInterrupt

    made = []
    flatten = _synthetic.flatten_lost_leads
    monkeypatch.setattr(
        _synthetic,
        "flatten_lost_leads",
        lambda *args: made.append(flatten(*args)) if len(made) < 2 else crash(),
    )
    with pytest.raises(KeyboardInterrupt):
        make_ecg(64, duration_s=1, random_state=0, out=tmp_path / "ecg.npy")
    assert len(made) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "ecg.npy"
    path.write_text("precious")
    monkeypatch.setattr(_synthetic, "wave_signals", None)  # nothing is made
    with pytest.raises(FileExistsError, match=r"ecg\.npy is there already"):
        make_ecg(3, out=path)
    assert path.read_text() == "precious"


# ---------------------------------------------------------- balance, noise, flips


@pytest.mark.parametrize("n_samples", [6, 60, 61, 65, 2])
def test_classes_are_balanced(n_samples):
    _, y = make_ecg(n_samples, duration_s=1, fs=20, random_state=0)
    counts = [int((y == name).sum()) for name in CLASSES]
    assert max(counts) - min(counts) <= 1
    assert sum(counts) == n_samples
    assert counts == sorted(counts, reverse=True)


def test_classes_are_shuffled():
    _, y = make_ecg(60, duration_s=1, fs=20, random_state=0)
    assert list(y) != list(CLASSES) * 10
    assert len(set(y[:12])) > 2


@pytest.mark.parametrize("noise", [0.0, 0.13, 0.5, 1.0])
def test_number_of_corrupted_records(noise):
    X, _, evidence = make_ecg(61, noise=noise, random_state=0, return_evidence=True)
    clean, _ = make_ecg(61, random_state=0)
    assert evidence.corrupted.sum() == round(noise * 61)
    assert_array_equal(evidence.corrupted, evidence.corruption != "")
    assert set(evidence.corruption[evidence.corrupted]) <= CORRUPTIONS
    changed = (clean != X).any(axis=(1, 2))
    assert_array_equal(changed, evidence.corrupted)
    if noise >= 0.1:
        kinds = [int((evidence.corruption == kind).sum()) for kind in CORRUPTIONS]
        assert max(kinds) - min(kinds) <= 1


def test_each_corruption_does_what_its_name_says():
    X, _, evidence = make_ecg(200, noise=1.0, random_state=0, return_evidence=True)
    clean, _ = make_ecg(200, random_state=0)
    difference = X - clean
    spectrum = np.abs(np.fft.rfft(difference, axis=2)) ** 2
    hertz = np.fft.rfftfreq(1000, 0.01)

    def share(kind, low, high):
        part = spectrum[evidence.corruption == kind]
        inside = (hertz >= low) & (hertz < high)
        return part[..., inside].sum(axis=(1, 2)) / part.sum(axis=(1, 2))

    assert share("wander", 0.0, 1.0).min() > 0.9
    assert share("muscle", 15.0, 60.0).min() > 0.8
    motion = np.abs(difference[evidence.corruption == "motion"]).max(axis=1)
    assert motion.max(axis=1).min() > 0.5
    assert np.median((motion > 0.1).mean(axis=1)) < 0.6  # bursts, not all the time
    lost = X[evidence.corruption == "lost_leads"]
    flat = (lost == 0).all(axis=2)
    assert flat.sum(axis=1).min() >= 1
    assert flat.sum(axis=1).max() <= 6
    untouched = clean[evidence.corruption == "lost_leads"]
    assert_array_equal(lost[~flat], untouched[~flat])


@pytest.mark.parametrize("label_noise", [0.0, 0.08, 0.5, 1.0])
def test_number_of_flipped_labels(label_noise):
    X, y, evidence = make_ecg(
        61,
        label_noise=label_noise,
        random_state=0,
        duration_s=2,
        return_evidence=True,
    )
    assert evidence.flipped.sum() == round(label_noise * 61)
    assert_array_equal(evidence.flipped, y != evidence.y_true)
    clean_X, clean_y = make_ecg(61, random_state=0, duration_s=2)
    assert_array_equal(evidence.y_true, clean_y)
    assert_array_equal(X, clean_X)
    if label_noise == 1.0:
        assert set(y) == set(CLASSES)


def test_neither_damage_nor_flips_move_the_evidence():
    _, _, clean = make_ecg(60, random_state=0, return_evidence=True)
    _, _, spoilt = make_ecg(
        60, noise=1.0, label_noise=1.0, random_state=0, return_evidence=True
    )
    assert_array_equal(clean.mask, spoilt.mask)
    for a, b in zip(clean.r_peaks, spoilt.r_peaks, strict=True):
        assert_array_equal(a, b)


# -------------------------------------------------------------------- evidence


@pytest.mark.parametrize("label", CLASSES)
def test_every_record_of_ten_seconds_has_evidence(label):
    _, evidence = records_of(label, 300, n_leads=1)
    steps = evidence.mask.sum(axis=1)
    assert steps.min() >= (15 if label == "PVC" else 40)
    assert steps.max() < 900


def test_norm_evidence_holds_all_waves():
    X, evidence = records_of("NORM")
    inside = np.abs(X - np.median(X, axis=2, keepdims=True))
    outside = np.where(evidence.mask[:, None], 0, inside)
    assert outside.max() < 0.2
    assert all(
        mask[peaks].all()
        for mask, peaks in zip(evidence.mask, evidence.r_peaks, strict=True)
    )


def test_afib_has_no_p_wave():
    def p_height(label):
        X, evidence = records_of(label, 60, fs=500)
        cuts = [
            x[peak - 125 : peak - 40]
            for x, peaks in zip(X[:, LIMB["II"]], evidence.r_peaks, strict=True)
            for peak in peaks[peaks >= 125]
        ]
        mean = np.mean(cuts, axis=0)  # in which fibrillatory waves cancel
        return mean[35:50].mean() - (mean[:10].mean() + mean[-10:].mean()) / 2

    assert p_height("NORM") > 0.05
    assert abs(p_height("AFIB")) < 0.01


def test_afib_evidence_is_free_of_p_qrs_and_t():
    X, evidence = records_of("AFIB")
    inside = np.where(evidence.mask[:, None], X, 0)
    assert np.abs(inside).max() < 0.5  # fibrillatory waves and the feet of QRS and T
    assert np.median(np.abs(inside).max(axis=2)) < 0.12
    for mask, peaks in zip(evidence.mask, evidence.r_peaks, strict=True):
        assert not mask[peaks].any()


def test_afib_rhythm_is_irregular():
    def spread(label):
        _, evidence = records_of(label)
        return np.array(
            [np.std(np.diff(p)) / np.mean(np.diff(p)) for p in evidence.r_peaks]
        )

    assert np.median(spread("AFIB")) > 0.12
    assert np.median(spread("NORM")) < 0.06


def test_afib_waves_have_4_to_9_hertz():
    X, evidence = records_of("AFIB", n_leads=2)  # V1 shows them best
    spectra = []
    for x, mask in zip(X[:, 1], evidence.mask, strict=True):
        edges = np.flatnonzero(np.diff(np.r_[0, mask, 0]))
        start, end = max(edges.reshape(-1, 2), key=lambda pair: pair[1] - pair[0])
        if end - start >= 40:
            piece = x[start:end] - x[start:end].mean()
            spectra.append(np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1000)))
    peak = np.argmax(spectra, axis=1) / 10
    assert len(peak) > 10
    assert ((peak > 3.5) & (peak < 9.5)).mean() > 0.9


def test_bbb_evidence_is_the_wide_qrs():
    X, evidence = records_of("BBB")
    for mask, peaks in zip(evidence.mask, evidence.r_peaks, strict=True):
        assert mask[peaks].all()
    widths = evidence.mask.sum(axis=1) / [len(p) for p in evidence.r_peaks]
    assert widths.min() > 9  # 100 ms
    assert widths.max() < 22
    assert (power(X, evidence.mask) > 10 * power(X, ~evidence.mask)).all()


def test_ste_evidence_is_the_raised_segment_after_qrs():
    X, evidence = records_of("STE", 60)
    chest_and_limb = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]  # aVR looks from behind
    raised, lowered, steps = [], [], []
    for x, mask, peaks in zip(X, evidence.mask, evidence.r_peaks, strict=True):
        assert not mask[peaks].any()
        level = np.median(x, axis=1)
        raised.append((x[:, mask].mean(axis=1) - level)[chest_and_limb].max())
        lowered.append((x[:, mask].mean(axis=1) - level)[chest_and_limb].min())
        steps.append(mask.sum() / len(peaks))
    assert np.median(raised) > 0.15
    assert np.median(lowered) < -0.03  # reciprocal
    assert 4 < np.median(steps) < 15  # 40 to 150 ms in each beat


def test_hyp_evidence_is_qrs_and_t_of_high_voltage():
    X, evidence = records_of("HYP")
    normal, _ = records_of("NORM")
    names = list(evidence.lead_names)
    v1, v5 = names.index("V1"), names.index("V5")
    sokolow = X[:, v5].max(axis=1) - X[:, v1].min(axis=1)
    usual = normal[:, v5].max(axis=1) - normal[:, v1].min(axis=1)
    assert np.median(sokolow) > 3.5 > np.median(usual)  # mV; 3.5 is the clinical limit
    outside = np.where(evidence.mask[:, None], 0, X)
    assert np.abs(outside).max() < 0.5
    for mask, peaks in zip(evidence.mask, evidence.r_peaks, strict=True):
        assert mask[peaks].all()


def test_pvc_evidence_is_the_premature_beats_alone():
    X, evidence = records_of("PVC", 100)
    ratios = []
    for x, mask, peaks in zip(X, evidence.mask, evidence.r_peaks, strict=True):
        premature = mask[peaks]
        assert 1 <= premature.sum() <= 4
        intervals = np.diff(peaks)
        usual = np.median(intervals)
        for k in np.flatnonzero(premature):
            if k >= 1:
                assert intervals[k - 1] < 0.9 * usual
            if 1 <= k < len(intervals):
                assert intervals[k] > 1.1 * usual  # the pause
                pair = intervals[k - 1] + intervals[k]
                assert abs(pair - 2 * usual) < 0.35 * usual
        # All else is sinus rhythm: no early beat outside the mask.
        early = np.flatnonzero(intervals < 0.8 * usual) + 1
        assert mask[peaks[early]].all()
        # A wide QRS has its area, not just its height, inside the mask.
        area = np.abs(x - np.median(x, axis=1, keepdims=True)).sum(axis=0)
        ratios.append(area[mask].mean() / area[~mask].mean())
    assert np.median(ratios) > 3
    assert min(ratios) > 1.5


def test_records_of_a_class_differ():
    X, evidence = records_of("NORM", 60, n_leads=8)
    axis = np.arctan2(X[:, 1].max(axis=1), X[:, 0].max(axis=1))
    assert np.std(axis) > 0.1
    assert np.std(X[:, 5].max(axis=1)) > 0.2
    assert len({len(peaks) for peaks in evidence.r_peaks}) > 4


def test_simple_features_beat_chance_but_not_all():
    X, y, evidence = make_ecg(360, random_state=0, return_evidence=True)
    intervals = [np.diff(peaks) for peaks in evidence.r_peaks]
    features = np.column_stack(
        [
            X.max(axis=2),
            X.min(axis=2),
            X.std(axis=2),
            [np.std(d) / np.mean(d) for d in intervals],
        ]
    )
    forest = RandomForestClassifier(60, random_state=0)
    score = cross_val_score(forest, features, y, cv=3).mean()
    assert 0.6 < score < 0.995
    shuffled = np.random.default_rng(0).permutation(y)
    assert cross_val_score(forest, features, shuffled, cv=3).mean() < 0.3


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 0}, "'n_samples' parameter of make_ecg must be an int of at le"),
        ({"n_samples": 2.0}, "Got 2.0 instead"),
        ({"n_samples": True}, "Got True instead"),
        ({"n_leads": 0}, "'n_leads' parameter of make_ecg must be an int in [1, 12]."),
        ({"n_leads": 13}, "Got 13 instead"),
        (
            {"fs": 0},
            "'fs' parameter of make_ecg must be a sampling frequency in Hz, a finite "
            "number above 0. Got 0",
        ),
        ({"fs": float("inf")}, "Got inf instead"),
        ({"fs": "100"}, "Got '100' instead"),
        ({"duration_s": -1}, "'duration_s' parameter of make_ecg must be a finite"),
        ({"duration_s": float("nan")}, "Got nan instead"),
        ({"duration_s": 0.001}, "at least one time step. Got 0.001 s at fs=100 Hz"),
        (
            {"noise": 3},
            "The 'noise' parameter of make_ecg must be a number in [0, 1]. "
            "Got 3 instead.",
        ),
        ({"noise": -0.1}, "Got -0.1 instead"),
        ({"label_noise": 1.1}, "'label_noise' parameter of make_ecg must be a number"),
        ({"label_noise": None}, "Got None instead"),
        ({"classes": ["NROM"]}, "Got 'NROM' instead. Did you mean 'NORM'?"),
        ({"classes": ["afib"]}, "Did you mean 'AFIB'?"),
        (
            {"classes": ["zzz"]},
            "'AFIB', 'BBB', 'STE', 'HYP' or 'PVC'. Got 'zzz'",
        ),
        ({"classes": [["NORM"]]}, "Got ['NORM'] instead"),
        ({"classes": "NORM"}, "must be a sequence of one name or more. Got 'NORM'"),
        ({"classes": 3}, "Got 3 instead"),
        ({"classes": []}, "a sequence of one name or more. Got [] instead"),
        ({"classes": ["NORM", "NORM"]}, "must be distinct names. Got ('NORM', 'NORM')"),
        (
            {"classes": ["NORM"], "label_noise": 0.1},
            "'label_noise' parameter of make_ecg must be 0 with a single class",
        ),
    ],
)
def test_parameter_errors(options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (compared below, unescaped)
        make_ecg(**options)
    assert message in str(caught.value)
