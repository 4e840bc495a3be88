"""Records by kind and place come as their loaders give them, and as they are wanted."""

import hashlib

import numpy as np
import pytest

from sk_erts._cli._data import Data
from sk_erts._cli._errors import DataFault, Fault, ModelFault
from sk_erts._cli._kinds import KINDS, read_data
from sk_erts._cli._recipe import Recipe
from sk_erts.datasets import STANDARD_LEADS, load_mitbih, load_ptbxl
from sk_erts.exceptions import RecordError
from sk_erts.preprocessing import BandPass, FixLength, Notch, Resample
from tests.cli.conftest import as_json, error_of, sk_erts
from tests.datasets.wfdb_files import steps, write, write_annotations

CASES = [
    ("A0001", "# Dx: 426783006", 500, 1500),
    ("E00001", "# Dx: 164889003", 500, 900),
]


@pytest.fixture
def mitbih(tmp_path):
    """Return the folder of two short records in the layout of MIT-BIH."""
    folder = tmp_path / "mitdb" / "1.0.0"
    folder.mkdir(parents=True)
    line = "16 200/mV 16 0 0 0 0 MLII"
    for k, name in enumerate(("101", "202")):
        write(folder, name, steps(1, 2000, seed=k), [line], f"{name} 1 360 2000")
        write_annotations(folder, name, (500, 1), (700, 5), (300, 1))
    return folder


def test_ptbxl(tiny):
    asked = {"folds": "1-2,9", "single_label": "true"}
    data = read_data(f"ptbxl:{tiny}", asked)
    found = load_ptbxl(tiny, folds=[1, 2, 9], single_label=True)
    assert 1 < len(found.target) < 6
    np.testing.assert_array_equal(data.X, found.data)
    assert data.y.tolist() == found.target.tolist()
    assert data.names.tolist() == found.metadata.index.astype(str).tolist()
    np.testing.assert_array_equal(data.groups, found.groups)
    several = read_data(f"ptbxl:{tiny}", {"folds": 1})
    found = load_ptbxl(tiny, folds=[1])
    np.testing.assert_array_equal(several.y.to_numpy(), found.target)
    assert several.y.columns.tolist() == found.target_names


def test_ptbxl_is_read_at_500_hz_if_more_than_100_is_wanted(monkeypatch):
    asked = []

    def load(folder, **params):
        asked.append(params["fs"])
        raise InterruptedError

    monkeypatch.setattr("sk_erts.datasets.load_ptbxl", load)
    for fs in (None, 100, 250, 500):
        with pytest.raises(InterruptedError):
            read_data("ptbxl:x", {}, fs)
    assert asked == [100, 100, 500, 500]


def test_cinc2017_has_no_patients_and_many_lengths(tmp_path, write_mat_record):
    rng = np.random.default_rng(0)
    for name, n_times in (("A00001", 1000), ("A00002", 2000)):
        write_mat_record(tmp_path / name, rng.normal(size=(1, n_times)), ["ECG"], 300)
    (tmp_path / "REFERENCE-v3.csv").write_text("A00001,N\nA00002,A\n")
    data = read_data(f"cinc2017:{tmp_path}")
    assert data.y.tolist() == ["N", "A"]
    assert data.names.tolist() == ["A00001", "A00002"]
    assert data.groups is None
    recipe, X = Recipe.for_training(data)
    assert recipe.n_times is None
    assert [x.shape[1] for x in X] == [1000, 2000]
    recipe, X = Recipe.for_training(data, duration_s=5)
    assert recipe.n_times == X.shape[2] == 1500
    assert not X[0, 0, 1000:].any()
    np.testing.assert_array_equal(X[1], data.X[1][:, :1500])
    assert recipe.n_changed_in_length(data) == (1, 1)


def test_cinc2020_leaves_out_what_cannot_be_read(tmp_path, write_mat_record):
    rng = np.random.default_rng(0)
    for name, codes, fs, n_times in CASES:
        signal = rng.normal(scale=0.3, size=(12, n_times))
        write_mat_record(tmp_path / name, signal, STANDARD_LEADS, fs, [codes])
    write_mat_record(tmp_path / "E00002", 0 * signal, STANDARD_LEADS, fs, [codes])
    with pytest.raises(RecordError, match="flat"):
        read_data(f"cinc2020:{tmp_path}")
    data = read_data(f"cinc2020:{tmp_path}", {"on_error": "skip", "labels": "codes"})
    assert data.names.tolist() == ["A0001", "E00001"]
    assert data.n_skipped == 1
    assert set(data.y.columns) == {"426783006", "164889003"}
    only = read_data(f"cinc2020:{tmp_path}", {"on_error": "skip", "sources": "A,Q"})
    assert only.names.tolist() == ["A0001"]


def test_mitbih_names_beats(mitbih):
    data = read_data(f"mitbih:{mitbih}", {"records": "['101', '202']"})
    found = load_mitbih(mitbih, records=["101", "202"])
    np.testing.assert_array_equal(data.X, found.data)
    assert data.names.tolist() == [
        *("101:500", "101:1200", "101:1500"),
        *("202:500", "202:1200", "202:1500"),
    ]
    np.testing.assert_array_equal(data.groups, found.groups)


@pytest.fixture
def files(tmp_path):
    """Return a folder of three WFDB records, and a table that names them."""
    folder = tmp_path / "records"
    folder.mkdir()
    for k, name in enumerate("abc"):
        write(folder, name, steps(seed=k))
    table = tmp_path / "labels.csv"
    table.write_text(
        "file,patient,age,label\nb.hea,7,60,PVC\na,7,61,NORM\nc,8,62,PVC\n"
    )
    return folder, table


COLUMNS = {"name_column": "file", "label_column": "label"}


def test_files_with_a_table(files):
    folder, table = files
    asked = COLUMNS | {"labels": str(table), "group_column": "patient"}
    data = read_data(f"files:{folder}", asked)
    assert data.names.tolist() == ["a", "b", "c"]
    assert data.y.tolist() == ["NORM", "PVC", "PVC"]
    assert data.groups.tolist() == [7, 7, 8]
    assert data.metadata["age"].tolist() == [61, 60, 62]
    assert (data.fs, data.X.shape, data.lead_names) == (250, (3, 2, 200), ("I", "II"))
    with pytest.raises(Fault, match=r"no column 'pat' .*Did you mean 'patient'"):
        read_data(f"files:{folder}", asked | {"group_column": "pat"})


@pytest.mark.parametrize("kind", ["wfdb", "csv"])
def test_a_label_without_its_record(files, tmp_path, kind):
    folder, table = files
    if kind == "csv":
        folder = tmp_path / "tables"
        folder.mkdir()
        for name in "abc":
            (folder / f"{name}.csv").write_text("I (mV)\n0.1\n0.2\n0.3\n")
    table.write_text("a,NORM\nb,PVC\nlost,PVC\n")
    words = ("-o", tmp_path / "run", "--labels", table, "--read", "fs=250")
    words = words[:-2] if kind == "wfdb" else words
    told = error_of("fit", f"files:{folder}", *words, code=3)
    assert "lost" in told
    asked = {"labels": str(table), "on_error": "skip"}
    asked |= {"fs": 250} if kind == "csv" else {}
    data = read_data(f"files:{folder}", asked)
    assert data.names.tolist() == ["a", "b"]
    assert data.n_skipped == 1


def test_files_without_labels_are_not_trained(files, tmp_path):
    folder, _ = files
    told = error_of("fit", f"files:{folder}", "-o", tmp_path / "run", code=3)
    assert "--labels" in told


def test_files_of_other_formats(tmp_path):
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(3, 2, 50)).round(3)
    table = tmp_path / "labels.csv"  # among them, and none of them
    for name, signal in zip("abc", signals, strict=True):
        lines = ["I,II", *(f"{x},{y}" for x, y in signal.T)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    table.write_text("record,label\nc.csv,PVC\na.csv,NORM\nb.csv,NORM\n")
    asked = {"labels": str(table), "fs": "250", "unit": "mV"}
    data = read_data(f"files:{tmp_path}", asked)
    np.testing.assert_allclose(data.X, signals, rtol=1e-5)
    assert data.y.tolist() == ["NORM", "NORM", "PVC"]
    assert (data.fs, data.lead_names) == (250.0, ("I", "II"))
    (tmp_path / "b.csv").write_text("I,V1\n1,2\n3,4\n")
    with pytest.raises(DataFault, match="the leads I, V1"):
        read_data(f"files:{tmp_path}", asked)
    only = read_data(f"files:{tmp_path}", asked | {"leads": "I"})
    assert only.lead_names == ("I",)


@pytest.mark.parametrize(
    ("held", "says"),
    [
        ({"Z": np.zeros(3)}, "must hold an array 'X'"),
        ({"X": np.zeros((3, 1, 9)), "y": np.zeros(2)}, "'y' must have one entry"),
        ({"X": np.zeros((3, 1, 9)), "fs": np.array(["1"])}, "'fs' must be a sampling"),
        ({"X": np.array([None])}, "no npz file that can be read"),
    ],
)
def test_bad_npz(tmp_path, held, says):
    np.savez(tmp_path / "bad.npz", **held)
    with pytest.raises(DataFault, match=says):
        read_data(f"npz:{tmp_path / 'bad.npz'}")


def test_no_npz_at_all(tmp_path):
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(DataFault, match="no npz file"):
        read_data(f"npz:{tmp_path / 'text.npz'}")


def test_each_kind_keeps_only_what_it_takes():
    for name, kind in KINDS.items():
        assert set(kind.keeps) <= kind.takes(), name


@pytest.mark.parametrize("text", ["1-", "a", "1-x", "-"])
def test_folds_that_are_none(text):
    with pytest.raises(Fault, match="Folds must be like"):
        read_data("ptbxl:x", {"folds": text})


def proba_of(place, data):
    rows = as_json("predict", place / "run", f"npz:{data}")["predictions"]
    return np.array([list(row["probabilities"].values()) for row in rows])


def test_other_rates_and_lengths_are_brought_to_those_of_the_training(
    place, tmp_path, clf
):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4, 2, 1000)).astype(np.float32)  # 4 s
    np.savez(tmp_path / "other.npz", X=X, fs=250, lead_names=["II", "V1"])
    expected = FixLength(100, 3).fit_transform(Resample(250, 100).fit_transform(X))
    given = proba_of(place, tmp_path / "other.npz")
    np.testing.assert_array_equal(given, clf.predict_proba(expected))
    told = sk_erts("predict", place / "run", f"npz:{tmp_path / 'other.npz'}").stderr
    assert "4 records read, 4 cut." in told
    rates = np.array([250, 500, 250, 100])
    np.savez(tmp_path / "several.npz", X=X, fs=rates, lead_names=["II", "V1"])
    given = proba_of(place, tmp_path / "several.npz")
    for x, fs, row in zip(X, rates, given, strict=True):
        own = FixLength(100, 3).fit_transform(Resample(fs, 100).fit_transform(x[None]))
        np.testing.assert_array_equal(clf.predict_proba(own)[0], row)


def test_leads_are_put_in_order(place, tmp_path, test, clf):
    other = test["X"][:, ::-1]
    np.savez(tmp_path / "o.npz", X=other, fs=100, lead_names=["V1", "II"])
    given = proba_of(place, tmp_path / "o.npz")
    np.testing.assert_array_equal(given, clf.predict_proba(test["X"]))
    np.savez(tmp_path / "o.npz", X=other, fs=100, lead_names=["V1", "V2"])
    told = error_of("predict", place / "run", f"npz:{tmp_path / 'o.npz'}", code=4)
    assert "takes the leads II, V1, and these records have V1, V2" in told
    np.savez(tmp_path / "o.npz", X=other[:, :1], fs=100)
    error_of("predict", place / "run", f"npz:{tmp_path / 'o.npz'}", code=4)


def test_a_rate_that_nobody_tells(place, tmp_path, test, clf):
    np.savez(tmp_path / "o.npz", X=test["X"])
    data = f"npz:{tmp_path / 'o.npz'}"
    assert "--read fs=" in error_of("predict", place / "run", data, code=3)
    rows = as_json("predict", place / "run", data, "--read", "fs=100")["predictions"]
    assert [r["predicted"] for r in rows] == clf.predict(test["X"]).tolist()


def test_labels_that_the_network_does_not_know(place, tmp_path, test):
    y = np.where(test["y"] == "NORM", "NROM", "BBB")
    np.savez(tmp_path / "o.npz", X=test["X"], y=y, fs=100)
    told = sk_erts(
        "evaluate", place / "run", f"npz:{tmp_path / 'o.npz'}", code=3
    ).stderr
    assert "'NROM'. Did you mean 'NORM'?" in told


def test_the_recipe_filters_before_it_cuts():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3, 1, 600))
    data = Data(X, None, np.array(["a", "b", "c"]), fs=200.0, lead_names=("I",))
    filters = ("BandPass(low=1, high=20)", "Notch(frequency=30)")
    recipe, found = Recipe.for_training(data, 100, 2, filters)
    expected = Resample(200, 100).fit_transform(X)
    expected = BandPass(100, 1, 20).fit_transform(expected)
    expected = Notch(100, 30).fit_transform(expected)
    assert recipe == Recipe(("I",), 100, filters, 200)
    np.testing.assert_array_equal(found, expected[..., :200])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("BandPas", "Did you mean 'BandPass'"),
        ("BandPass(lo=1)", "no good call"),
        ("BandPass(low=1", "must be like"),
    ],
)
def test_filters_that_are_none(text, says):
    data = Data(np.zeros((2, 1, 300)), None, np.array(["a", "b"]), fs=100.0)
    with pytest.raises(Fault, match=says):
        Recipe.for_training(data, filters=[text])


def test_what_needs_a_rate_says_so():
    data = Data(np.zeros((2, 1, 300)), None, np.array(["a", "b"]))
    with pytest.raises(Fault, match="sampling frequency"):
        Recipe.for_training(data, duration_s=2)
    with pytest.raises(Fault, match="sampling frequency"):
        Recipe.for_training(data, filters=["BandPass"])
    with pytest.raises(Fault, match="sampling frequency"):
        Recipe.for_training(data, fs=100)
    data.fs = np.array([100.0, 250.0])
    with pytest.raises(Fault, match="100, 250 Hz. Choose one"):
        Recipe.for_training(data)
    with pytest.raises(ModelFault, match="without names"):
        Recipe(lead_names=("I", "II")).apply(data)


def test_fetched_records_are_where_they_are_said_to_be(mitbih, tmp_path):
    listed = sorted(path for path in mitbih.iterdir())
    sums = [f"{hashlib.sha256(p.read_bytes()).hexdigest()} {p.name}" for p in listed]
    (mitbih / "SHA256SUMS.txt").write_text("\n".join(sums) + "\n")
    words = ("--read", "download_if_missing=false", "--read", "records=['101']")
    found = as_json("fetch", "mitbih", "-o", tmp_path, *words, "--n-jobs", 1)
    assert found == {"data": f"mitbih:{mitbih}", "n_records": 3}
    assert len(read_data(found["data"], {"records": "['101']"})) == 3


def test_nothing_to_fetch(tmp_path):
    offline = ("--read", "download_if_missing=false", "-o", tmp_path)
    assert "lacks files" in error_of("fetch", "mitbih", *offline, code=3)
    assert "Did you mean 'ptbxl'" in error_of("fetch", "ptb-xl", code=2)
    told = error_of("fetch", "mitbih", "--read", "window=3", code=2)
    assert "Did you mean 'window_s'?" in told
