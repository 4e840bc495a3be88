import numpy as np
import pytest

from sk_erts.datasets import STANDARD_LEADS, load_cinc2020
from sk_erts.exceptions import RecordError, RecordNotFoundError

# name, folder, line with the codes, frequency, length
CASES = [
    ("A0001", "cpsc", "#Dx: ", 500, 1500),
    ("E00001", "georgia/g1", "# Dx: 426783006", 500, 1000),
    ("HR00001", "ptbxl", "# Dx: 164889003,59118001,426177001", 500, 1000),
    ("I0001", "incart", "#Dx:427172004", 257, 800),
    ("S0001", "ptb", "# Dx: 270492004,999", 1000, 900),
]


@pytest.fixture
def folder(tmp_path, write_mat_record):
    rng = np.random.default_rng(0)
    for name, place, codes, fs, n_times in CASES:
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        signal = rng.normal(scale=0.3, size=(12, n_times))
        comments = ["# Age: 61", "# Sex: Male", codes, "# Rx: Unknown"]
        path = tmp_path / place / name
        write_mat_record(path, signal, STANDARD_LEADS, fs, comments)
    return tmp_path


def labels_of(data):
    return [
        {name for name, has in zip(data.target_names, row, strict=True) if has}
        for row in data.target
    ]


def test_all_sources_in_nested_folders(folder):
    data = load_cinc2020(folder)
    assert data.groups.tolist() == [case[0] for case in CASES]
    assert data.target_names == [
        *("NORM", "AF", "LBBB", "RBBB", "ST", "AVB", "PVC", "OTHER")
    ]
    assert labels_of(data) == [
        set(),
        {"NORM"},
        {"AF", "RBBB", "OTHER"},
        {"PVC"},
        {"AVB", "OTHER"},
    ]
    assert [x.shape for x in data.data] == [(12, case[4]) for case in CASES]
    assert data.fs.tolist() == [case[3] for case in CASES]
    assert data.metadata["source"].tolist() == [
        "CPSC 2018",
        "Georgia",
        "PTB-XL",
        "St Petersburg INCART",
        "PTB",
    ]
    assert data.metadata["age"].tolist() == [61.0] * 5
    assert data.metadata["sex"].tolist() == ["male"] * 5
    assert data.metadata["codes"]["HR00001"] == ("164889003", "59118001", "426177001")


def test_samples_in_mv_by_an_independent_reading(folder):
    data = load_cinc2020(folder)
    for x, (name, place, *_) in zip(data.data, CASES, strict=True):
        raw = np.fromfile(folder / place / f"{name}.mat", dtype="<i2", offset=24)
        np.testing.assert_allclose(x, raw.reshape(-1, 12).T / 1000, rtol=1e-6)


def test_some_sources_of_one_length_and_frequency(folder):
    data = load_cinc2020(folder, sources=["E", "HR"])
    assert data.data.shape == (2, 12, 1000)
    assert data.data.dtype == np.float32
    assert data.fs == 500
    X, y = load_cinc2020(folder, sources="E", return_X_y=True)
    assert X.shape == (1, 12, 1000)
    assert y.shape == (1, 8)


def test_raw_codes(folder):
    data = load_cinc2020(folder, labels="codes")
    assert data.target_names == [
        *("999", "59118001", "164889003", "270492004"),
        *("426177001", "426783006", "427172004"),
    ]
    assert labels_of(data)[2] == {"164889003", "59118001", "426177001"}
    assert data.target.sum() == 7


def test_leads_in_another_order_come_in_the_usual_one(folder, write_mat_record):
    signal = np.random.default_rng(1).normal(scale=0.3, size=(12, 1000))
    path = folder / "georgia/g1/E00001"
    before = load_cinc2020(folder, sources="E").data[0]
    order = np.random.default_rng(2).permutation(12)
    write_mat_record(path, signal, STANDARD_LEADS, 500, ["# Dx: 426783006"])
    straight = load_cinc2020(folder, sources="E").data[0]
    leads = [STANDARD_LEADS[k].upper() for k in order]
    write_mat_record(path, signal[order], leads, 500, ["# Dx: 426783006"])
    np.testing.assert_array_equal(load_cinc2020(folder, sources="E").data[0], straight)
    assert not np.array_equal(before, straight)


class TestBadInput:
    def header(self, folder):
        return folder / "georgia/g1/E00001.hea"

    def change(self, folder, old, new):
        text = self.header(folder).read_text()
        assert old in text
        self.header(folder).write_text(text.replace(old, new))

    def test_no_folder(self, tmp_path):
        with pytest.raises(RecordNotFoundError, match=r"no folder .*unpack them"):
            load_cinc2020(tmp_path / "nowhere")

    def test_no_record_of_a_source(self, folder):
        with pytest.raises(RecordNotFoundError, match="5 headers, .*begins with JS"):
            load_cinc2020(folder, sources="JS")

    def test_unknown_source(self, folder):
        with pytest.raises(ValueError, match=r"'sources.*'E' or 'JS'. Got 'Georgia'"):
            load_cinc2020(folder, sources=["Georgia"])

    def test_unknown_labels(self, folder):
        with pytest.raises(ValueError, match=r"'labels' .*'classes' or 'codes'. Got"):
            load_cinc2020(folder, labels="eight")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("# Dx: 426783006", "# Remark", r"must be a line '# Dx:'"),
            ("# Dx: 426783006", "# Dx: NSR", r"must hold SNOMED CT .*Got 'NSR'"),
            (" V6\n", " V7\n", r"twelve standard ones.*V7"),
            ("/mV", "/mmHg", r"must be in mV.* Got mmHg .* of I;"),
            ("E00001.mat", "../../../secret.mat", r"beside their header.*secret.mat'"),
            ("E00001.mat", "/etc/passwd", r"beside their header.*'/etc/passwd'"),
            ("E00001 12", "E00001 x", r"hea, line 1: the number of signals .*Got 'x'"),
        ],
    )
    def test_a_bad_header(self, folder, old, new, message):
        self.change(folder, old, new)
        with pytest.raises(RecordError, match=message):
            load_cinc2020(folder)
        data = load_cinc2020(folder, on_error="skip")
        assert "E00001" not in data.groups
        assert len(data.data) == len(data.target) == len(data.metadata) == 4
        assert data.skipped["record"].tolist() == [str(self.header(folder))[:-4]]

    def test_a_header_without_its_signals(self, folder):
        self.header(folder).with_suffix(".mat").unlink()
        with pytest.raises(RecordNotFoundError, match=r"E00001: .*not there"):
            load_cinc2020(folder)

    def test_signals_that_are_cut_short(self, folder):
        path = self.header(folder).with_suffix(".mat")
        path.write_bytes(path.read_bytes()[:-2])
        with pytest.raises(RecordError, match="E00001: "):
            load_cinc2020(folder)

    def test_missing_samples(self, folder):
        path = self.header(folder).with_suffix(".mat")
        raw = bytearray(path.read_bytes())
        raw[24:26] = np.array([-32768], dtype="<i2").tobytes()
        path.write_bytes(raw)
        with pytest.raises(RecordError, match=r"E00001: .*Got 1 missing ones .* in I;"):
            load_cinc2020(folder)


@pytest.mark.real
def test_a_real_record_of_flat_leads(cinc2020_folder):
    with pytest.raises(RecordError, match="JS20004: no lead must be flat.*V2, V4, V6;"):
        load_cinc2020(cinc2020_folder)
    data = load_cinc2020(cinc2020_folder, on_error="skip")
    assert len(data.data) == 27
    assert [record[-7:] for record in data.skipped["record"]] == ["JS20004"]


@pytest.mark.real
def test_real_records(cinc2020_folder):
    data = load_cinc2020(cinc2020_folder, allow_flat=True)
    assert len(data.data) == len(list(cinc2020_folder.glob("*.mat"))) == 28
    for k, name in enumerate(data.groups):
        raw = np.fromfile(cinc2020_folder / f"{name}.mat", dtype="<i2", offset=24)
        np.testing.assert_allclose(
            data.data[k], raw.reshape(-1, 12).T / 1000, rtol=1e-6
        )
        header = (cinc2020_folder / f"{name}.hea").read_text()
        line = next(line for line in header.splitlines() if "Dx:" in line)
        codes = [code for code in line.split(":")[1].strip().split(",") if code]
        assert data.metadata["codes"][name] == tuple(codes)
        assert ("426783006" in codes) == bool(data.target[k, 0])
    of_cpsc = data.metadata["source"] == "CPSC 2018"
    assert of_cpsc.sum() == 4
    assert not data.target[of_cpsc].any()  # their lines are empty
