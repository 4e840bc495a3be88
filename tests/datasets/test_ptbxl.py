import ast
import functools
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import wfdb
from numpy.testing import assert_array_equal

from sk_erts.datasets import STANDARD_LEADS, load_ptbxl
from sk_erts.datasets._scp_labels import choose_single
from sk_erts.exceptions import RecordError, RecordNotFoundError

SUPERCLASSES = ["CD", "HYP", "MI", "NORM", "STTC"]
FIRST = "records100/00000/00001_lr"


def first_signal(folder):
    return wfdb.rdsamp(str(folder / FIRST))[0].T


@pytest.fixture
def rewrite(tiny, write_record):
    """Return a function that replaces the first record."""
    return functools.partial(write_record, tiny / FIRST)


def edit_table(folder, change, file="ptbxl_database.csv"):
    """Rewrite a table after a change; ``change`` gets and returns a frame."""
    change(pd.read_csv(folder / file)).to_csv(folder / file, index=False)


# ---------------------------------------------------------------- what is returned


def test_bunch_holds_signals_labels_groups_and_folds(tiny):
    data = load_ptbxl(tiny)
    assert data.data.shape == (6, 12, 1000)
    assert data.data.dtype == np.float32
    assert data.target_names == SUPERCLASSES
    assert data.target.dtype.kind == "i"
    assert_array_equal(
        data.target,
        [
            [0, 0, 0, 1, 0],
            [0, 1, 1, 0, 0],
            [1, 0, 1, 0, 0],
            [0, 0, 0, 0, 0],
            [0, 1, 0, 0, 1],
            [1, 0, 0, 0, 0],
        ],
    )
    assert data.lead_names == STANDARD_LEADS
    assert data.fs == 100
    assert_array_equal(data.groups, [11, 12, 12, 13, 14, 15])
    assert data.groups.dtype.kind == "i"
    assert_array_equal(data.folds, [1, 1, 2, 2, 9, 9])
    assert data.metadata.index.name == "ecg_id"
    assert data.metadata.index.tolist() == [1, 2, 3, 5, 8, 9]
    assert data.metadata.loc[2, "baseline_drift"] == ", V6"
    assert data.metadata.loc[2, "scp_codes"] == {"IMI": 80.0, "LVH": 35.0, "SR": 0.0}
    assert {"age", "sex", "report", "static_noise", "burst_noise"} <= set(data.metadata)
    assert "6 twelve-lead" in data.DESCR


def test_signals_equal_an_independent_reading(tiny):
    data = load_ptbxl(tiny)
    for row, name in zip(data.data, data.metadata["filename_lr"], strict=True):
        expected, fields = wfdb.rdsamp(str(tiny / name))
        assert fields["units"] == ["mV"] * 12
        assert_array_equal(row, expected.T.astype(np.float32))


def test_return_X_y_gives_the_same(tiny):
    data = load_ptbxl(tiny, single_label=True)
    X, y = load_ptbxl(tiny, single_label=True, return_X_y=True)
    assert_array_equal(X, data.data)
    assert_array_equal(y, data.target)


def test_parallel_reading_gives_the_same(tiny):
    with joblib.parallel_config(backend="threading", n_jobs=2):
        X, _ = load_ptbxl(tiny, return_X_y=True)
    assert_array_equal(X, load_ptbxl(tiny).data)


def test_500_hz_reads_the_other_file_names(tiny, tiny_table, write_record):
    (tiny / "records500" / "00000").mkdir(parents=True)
    signal = np.linspace(-1, 1, 12)[:, None] + np.sin(np.arange(5000))
    write_record(tiny / tiny_table["filename_hr"][0], signal, fs=500)
    edit_table(tiny, lambda table: table.head(1))
    for fs in (500, 500.0):
        data = load_ptbxl(tiny, fs=fs)
        assert data.data.shape == (1, 12, 5000)
        np.testing.assert_allclose(data.data[0], signal, atol=6e-4)


def test_leads_in_another_order_are_put_in_order(tiny, rewrite):
    signal = first_signal(tiny)
    before = load_ptbxl(tiny).data[0]
    order = np.random.default_rng(0).permutation(12)
    rewrite(signal[order], leads=[STANDARD_LEADS[k].lower() for k in order])
    assert_array_equal(load_ptbxl(tiny).data[0], before)


# ------------------------------------------------------------- tasks, folds, labels


@pytest.mark.parametrize(
    ("task", "names", "of_third"),
    [
        ("superclass", SUPERCLASSES, {"CD", "MI"}),
        (
            "subclass",
            ["AMI", "CRBBB", "IMI", "LVH", "NORM", "STTC"],
            {"AMI", "IMI", "CRBBB"},
        ),
        (
            "statement",
            ["ASMI", "CRBBB", "IMI", "LVH", "NDT", "NORM", "SR"],
            {"ASMI", "IMI", "CRBBB"},
        ),
    ],
)
def test_tasks(tiny, task, names, of_third):
    data = load_ptbxl(tiny, task=task)
    assert data.target_names == names
    assert {names[k] for k in np.flatnonzero(data.target[2])} == of_third


def test_statement_task_counts_rhythm_of_unknown_likelihood(tiny):
    data = load_ptbxl(tiny, task="statement", min_likelihood=100)
    assert data.target[:, data.target_names.index("SR")].tolist() == [1, 1, 0, 1, 0, 0]


@pytest.mark.parametrize("folds", [[2, 9], (9, 2), {2, 9}, np.array([2, 9]), [9, 2, 9]])
def test_folds_select(tiny, folds):
    data = load_ptbxl(tiny, folds=folds)
    assert data.metadata.index.tolist() == [3, 5, 8, 9]
    assert_array_equal(data.folds, [2, 2, 9, 9])
    assert data.target_names == SUPERCLASSES


def test_folds_may_be_a_generator(tiny):
    assert set(load_ptbxl(tiny, folds=(k for k in [1])).folds) == {1}


@pytest.mark.parametrize(
    ("min_likelihood", "rows"),
    [
        (35, {2: {"HYP", "MI"}, 3: {"CD", "MI"}, 8: {"STTC"}, 9: {"CD"}}),
        (36, {2: {"MI"}, 3: {"CD", "MI"}, 8: {"STTC"}, 9: {"CD"}}),
        (51, {2: {"MI"}, 3: set(), 8: {"STTC"}, 9: {"CD"}}),
        (100, {1: {"NORM"}, 2: set(), 8: {"STTC"}, 9: {"CD"}}),
    ],
)
def test_likelihoods_below_do_not_count_and_unknown_ones_do(tiny, min_likelihood, rows):
    data = load_ptbxl(tiny, min_likelihood=min_likelihood)
    for ecg_id, labels in rows.items():
        row = data.target[data.metadata.index.get_loc(ecg_id)]
        assert {SUPERCLASSES[k] for k in np.flatnonzero(row)} == labels


@pytest.mark.parametrize("single_label", [True, "unique"])
def test_unique_keeps_records_with_one_label(tiny, single_label):
    data = load_ptbxl(tiny, single_label=single_label)
    assert data.metadata.index.tolist() == [1, 9]
    assert data.target.tolist() == ["NORM", "CD"]
    assert data.target.dtype.kind == "U"
    assert data.target_names == SUPERCLASSES
    assert len(data.data) == len(data.groups) == len(data.folds) == 2


def test_likeliest_ranks_unknown_lowest_and_leaves_ties_out(tiny):
    data = load_ptbxl(tiny, single_label="likeliest")
    assert dict(zip(data.metadata.index, data.target, strict=True)) == {
        1: "NORM",
        2: "MI",
        8: "HYP",  # 15 % beats unknown
        9: "CD",
    }


def test_single_label_signals_belong_to_their_labels(tiny):
    every = load_ptbxl(tiny)
    some = load_ptbxl(tiny, single_label=True)
    assert_array_equal(some.data, every.data[[0, 5]])
    assert_array_equal(some.groups, every.groups[[0, 5]])


# -------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fs": 250}, "'fs' parameter of load_ptbxl must be 100 or 500. Got 250"),
        ({"task": "superclas"}, "Got 'superclas' instead. Did you mean 'superclass'?"),
        ({"task": None}, "'task' parameter of load_ptbxl must be 'superclass', "),
        ({"folds": 9}, "'folds' parameter of load_ptbxl must be None or an iterable"),
        ({"folds": "9"}, "Got '9' instead"),
        ({"folds": []}, "at least one. Got [] instead"),
        ({"folds": [0]}, "ints in [1, 10], at least one. Got [0] instead"),
        ({"folds": [11]}, "Got [11] instead"),
        ({"folds": [1.5]}, "Got [1.5] instead"),
        ({"folds": [True]}, "Got [True] instead"),
        ({"folds": [10]}, "has records of folds [1, 2, 9]"),
        ({"single_label": "first"}, "a bool, 'unique' or 'likeliest'. Got 'first'"),
        ({"single_label": 1}, "'single_label' parameter of load_ptbxl must be"),
        ({"min_likelihood": 101}, "a number in [0, 100]. Got 101 instead"),
        ({"min_likelihood": -1}, "a number in [0, 100]. Got -1 instead"),
        ({"min_likelihood": "50"}, "a number in [0, 100]. Got '50' instead"),
        (
            {"folds": [2], "single_label": True},
            "none of the 2 selected records has such a label for the 'superclass' task",
        ),
    ],
)
def test_parameter_errors(tiny, options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (compared below, unescaped)
        load_ptbxl(tiny, **options)
    assert message in str(caught.value)


def test_missing_folder(tmp_path):
    with pytest.raises(
        RecordNotFoundError, match=r"no folder .*nowhere.*unpack PTB-XL"
    ):
        load_ptbxl(tmp_path / "nowhere")


@pytest.mark.parametrize("file", ["ptbxl_database.csv", "scp_statements.csv"])
def test_missing_table(tiny, file):
    (tiny / file).unlink()
    with pytest.raises(RecordNotFoundError, match=rf"no file .*{file}.*unpack PTB-XL"):
        load_ptbxl(tiny)


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("ptbxl_database.csv", ["patient_id", "strat_fold"]),
        ("ptbxl_database.csv", ["ecg_id"]),
        ("ptbxl_database.csv", ["filename_lr"]),
        ("scp_statements.csv", ["diagnostic_class"]),
    ],
)
def test_table_without_its_columns(tiny, file, columns):
    edit_table(tiny, lambda table: table.drop(columns=columns), file)
    wanted = rf"{file}.*Missing: {', '.join(columns)};"
    with pytest.raises(RecordError, match=wanted):
        load_ptbxl(tiny)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\xfa", b'a,b\n"1,2\n3'])
def test_table_that_is_none(tiny, content):
    (tiny / "ptbxl_database.csv").write_bytes(content)
    with pytest.raises(RecordError, match=r"ptbxl_database\.csv: "):
        load_ptbxl(tiny)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("ecg_id", 1, "each ecg_id must stand in one row. Got 1 more"),
        ("patient_id", None, "'patient_id' must be filled. Got 1 empty cells"),
        ("patient_id", "Jo", "'patient_id' must hold ints"),
        ("scp_codes", "NORM", "'scp_codes' of ecg_id 2 must be a dictionary"),
        ("scp_codes", "{'NORM': ", "'scp_codes' of ecg_id 2 must be a dictionary"),
        ("scp_codes", "['NORM']", "Got \"['NORM']\" instead"),
        ("scp_codes", None, "'scp_codes' of ecg_id 2 must be a dictionary"),
        ("scp_codes", "{'ODD': 1.0}", "must list every statement"),
    ],
)
def test_table_with_a_bad_cell(tiny, column, value, message):
    def spoil(table):
        table[column] = table[column].astype(object)
        table.loc[1, column] = value
        return table

    edit_table(tiny, spoil)
    with pytest.raises(RecordError) as caught:
        load_ptbxl(tiny)
    assert message in str(caught.value)


@pytest.mark.parametrize("extension", [".hea", ".dat"])
def test_some_records_missing_is_said_before_reading(tiny, extension):
    # A record that cannot be read comes first: it must not be reached.
    (tiny / f"{FIRST}.hea").write_text("garbage\n")
    for k in (2, 8):
        (tiny / f"records100/00000/{k:05d}_lr{extension}").unlink()
    message = r"2 of the 6 selected records at 100 Hz.*00002_lr, .*00008_lr\. "
    with pytest.raises(RecordNotFoundError, match=message):
        load_ptbxl(tiny)
    load_ptbxl(tiny, folds=[2])


def test_all_records_missing(tiny):
    with pytest.raises(RecordNotFoundError, match="6 of the 6 selected records at 500"):
        load_ptbxl(tiny, fs=500)


@pytest.mark.parametrize("n_bytes", [12_000, 12_005, 0])
def test_truncated_record(tiny, n_bytes):
    path = tiny / f"{FIRST}.dat"
    path.write_bytes(path.read_bytes()[:n_bytes])
    shape = (
        rf"\(12, 1000\)\. Got {n_bytes} bytes instead, shape \(12, {n_bytes // 24}\)"
    )
    with pytest.raises(RecordError, match=f"00001_lr: .*{shape}"):
        load_ptbxl(tiny)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", r"\.hea: a header must have a line for the record"),
        ("garbage\n", r"\.hea, line 1: the number of signals .* Got ''"),
        ("00001_lr 12 100 1000\n", r"\.hea, line 1: .* of the signal lines. Got '12'"),
    ],
)
def test_malformed_header(tiny, header, message):
    (tiny / f"{FIRST}.hea").write_text(header)
    with pytest.raises(RecordError, match=f"00001_lr{message}"):
        load_ptbxl(tiny)


def test_header_that_names_another_file(tiny):
    path = tiny / f"{FIRST}.hea"
    path.write_text(path.read_text().replace("00001_lr.dat", "elsewhere.dat"))
    with pytest.raises(RecordNotFoundError, match=r"00001_lr: .*elsewhere\.dat"):
        load_ptbxl(tiny)


def test_other_leads(tiny, rewrite):
    leads = ["MLII", *STANDARD_LEADS[1:]]
    rewrite(first_signal(tiny), leads=leads)
    with pytest.raises(RecordError, match=r"00001_lr: .*Got MLII, II, III, .* instead"):
        load_ptbxl(tiny)
    rewrite(first_signal(tiny)[:2], leads=STANDARD_LEADS[:2])
    with pytest.raises(RecordError, match=r"00001_lr: .*Got I, II instead"):
        load_ptbxl(tiny)


def test_other_frequency(tiny, rewrite):
    rewrite(first_signal(tiny), fs=250)
    with pytest.raises(RecordError, match=r"00001_lr: .*100 Hz\. Got 250 Hz"):
        load_ptbxl(tiny)


def test_other_length(tiny, rewrite):
    rewrite(first_signal(tiny)[:, :900])
    message = r"00001_lr: .*\(12, 1000\), 10 s\. Got \(12, 900\)"
    with pytest.raises(RecordError, match=message):
        load_ptbxl(tiny)


def test_other_unit(tiny, rewrite):
    rewrite(first_signal(tiny), unit="mmHg")
    with pytest.raises(RecordError, match=r"00001_lr: .*in mV.* Got mmHg instead"):
        load_ptbxl(tiny)


def test_missing_samples(tiny, rewrite):
    signal = first_signal(tiny)
    signal[3, 100:105] = np.nan
    rewrite(signal)
    with pytest.raises(RecordError, match=r"00001_lr: .*Got 5 missing ones .* in aVR"):
        load_ptbxl(tiny)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_skip_leaves_out_and_tells_why(tiny, rewrite, n_jobs):
    whole = load_ptbxl(tiny)
    rewrite(first_signal(tiny), fs=250)
    (tiny / "records100/00000/00003_lr.dat").unlink()
    data = load_ptbxl(tiny, on_error="skip", n_jobs=n_jobs)
    left = [1, 3, 4, 5]
    np.testing.assert_array_equal(data.data, whole.data[left])
    np.testing.assert_array_equal(data.target, whole.target[left])
    np.testing.assert_array_equal(data.groups, whole.groups[left])
    np.testing.assert_array_equal(data.folds, whole.folds[left])
    assert data.metadata.index.tolist() == [2, 5, 8, 9]
    assert len(whole.skipped) == 0
    names = [Path(record).name for record in data.skipped["record"]]
    assert names == ["00001_lr", "00003_lr"]
    assert "Got 250 Hz instead" in data.skipped["error"][0]


def test_nothing_left_is_an_error_all_the_same(tiny):
    with pytest.raises(ValueError, match="None of the 6 records"):
        load_ptbxl(tiny, fs=500, on_error="skip")


def test_wfdb_is_imported_late_and_without_its_warnings(tiny):
    code = (
        "import sys, warnings, sk_erts.datasets; print('wfdb' in sys.modules);"
        "warnings.simplefilter('error'); sk_erts.datasets.load_ptbxl(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny)], capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "False"


def test_a_record_without_label_is_not_single_where_there_is_one_label_only():
    kept, _ = choose_single(np.array([[-1.0], [0.0], [80.0]]), "likeliest")
    assert kept.tolist() == [False, True, True]


# ---------------------------------------------------------------------- real records


@pytest.fixture(scope="module")
def real_fold(ptbxl_folder):
    return load_ptbxl(ptbxl_folder, folds=[9])


@pytest.mark.real
def test_real_signals_equal_an_independent_reading(real_fold, ptbxl_folder):
    for k in (0, 100, len(real_fold.data) - 1):
        name = real_fold.metadata["filename_lr"].iloc[k]
        # 16-bit samples, leads in turn, 1000 units for one mV.
        raw = np.fromfile(ptbxl_folder / f"{name}.dat", "<i2").reshape(1000, 12)
        np.testing.assert_allclose(real_fold.data[k], raw.T / 1000, rtol=1e-6)


@pytest.mark.real
def test_real_labels_equal_an_independent_reading(real_fold, ptbxl_folder):
    statements = pd.read_csv(ptbxl_folder / "scp_statements.csv", index_col=0)
    classes = statements[statements.diagnostic == 1].diagnostic_class
    table = pd.read_csv(ptbxl_folder / "ptbxl_database.csv", index_col="ecg_id")
    table = table[table.strat_fold == 9]
    assert table.index.tolist() == real_fold.metadata.index.tolist()
    assert_array_equal(table.patient_id, real_fold.groups)
    for codes, row in zip(table.scp_codes, real_fold.target, strict=True):
        expected = {
            classes[code] for code in ast.literal_eval(codes) if code in classes
        }
        assert {SUPERCLASSES[k] for k in np.flatnonzero(row)} == expected


@pytest.mark.real
def test_real_einthoven_relation_holds(real_fold):
    first, second, third = (
        real_fold.data[:, 0],
        real_fold.data[:, 1],
        real_fold.data[:, 2],
    )
    # Each lead is rounded to a microvolt, and some records to five.
    assert np.median(np.abs(second - first - third)) < 0.006


@pytest.mark.real
def test_real_500_hz_records_refine_the_100_hz_ones(ptbxl_folder, tmp_path):
    table = pd.read_csv(ptbxl_folder / "ptbxl_database.csv")
    at_hand = [
        (ptbxl_folder / f"{name}.hea").is_file() for name in table["filename_hr"]
    ]
    if not any(at_hand):
        pytest.skip(f"no records at 500 Hz in {ptbxl_folder}")
    table = table[at_hand].head(5)
    table.to_csv(tmp_path / "ptbxl_database.csv", index=False)
    shutil.copy(ptbxl_folder / "scp_statements.csv", tmp_path)
    for name in [*table["filename_hr"], *table["filename_lr"]]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        for extension in (".hea", ".dat"):
            shutil.copy(
                ptbxl_folder / f"{name}{extension}", tmp_path / f"{name}{extension}"
            )
    fine = load_ptbxl(tmp_path, fs=500).data
    coarse = load_ptbxl(tmp_path, fs=100).data
    assert fine.shape == (5, 12, 5000)
    for a, b in zip(fine, coarse, strict=True):
        averaged = a.reshape(12, 1000, 5).mean(axis=2)
        assert np.corrcoef(averaged.ravel(), b.ravel())[0, 1] > 0.9
