"""The examples do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib import image

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
DATA = Path(os.environ.get("SK_ERTS_DATA", ROOT.parent / "shared" / "data"))


def run(name, *arguments, cwd, data=None):
    """Return what an example prints; ``data`` is the folder of real recordings."""
    environment = {k: v for k, v in os.environ.items() if k != "SK_ERTS_DATA"}
    if data is not None:
        environment["SK_ERTS_DATA"] = str(data)
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_several_processes_by_itself_is_one(tmp_path):
    told = run("several_processes.py", cwd=tmp_path)
    kept = re.search(r"records trained, by epoch: ([\d, ]+)", told)[1].split(", ")
    assert len(kept) == 10
    assert int(kept[-1]) < 0.8 * int(kept[0]) == 0.8 * 300


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("example", "needs"),
    [("grid_search_dask.py", "distributed"), ("grid_search_ray.py", "ray")],
)
def test_grid_search_on_a_cluster(tmp_path, example, needs):
    pytest.importorskip(needs)
    told = run(example, cwd=tmp_path)
    tried = re.findall(r"{'focus_threshold': ([\d.]+)}: macro-F1 ([\d.]+)", told)
    assert [threshold for threshold, _ in tried] == ["0.2", "0.5"]
    best = re.search(r"best: {'focus_threshold': ([\d.]+)}", told)[1]
    assert dict(tried)[best] == max(score for _, score in tried)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.real)])
def run_on(request, tmp_path):
    """Return a function that runs an example on one of the folders of recordings."""

    def run_on(name, folder):
        if request.param == "stand-in":
            told = run(name, cwd=tmp_path)
            assert "synthetic records stand in" in told
            return told
        if not (DATA / folder).is_dir():
            pytest.skip(f"no {folder} in {DATA}; SK_ERTS_DATA names its parent folder")
        told = run(name, cwd=tmp_path, data=DATA)
        assert "stand in" not in told
        return told

    yield run_on
    assert list(tmp_path.iterdir()) == []


def test_ptbxl_tells_the_diagnoses(run_on):
    told = run_on("ptbxl_diagnoses.py", "ptbxl")
    aucs = re.findall(r"^(\w+) +\d+ records   AUC ([\d.]+)", told, re.MULTILINE)
    assert {"CD", "HYP", "MI", "NORM"} <= {label for label, _ in aucs}
    assert min(float(auc) for _, auc in aucs) > 0.7


def test_mitbih_finds_most_ventricular_beats_of_others(run_on):
    told = run_on("mitbih_beats.py", "mitbih")
    recall = re.search(r"ventricular +[\d.]+ +([\d.]+)", told)[1]
    assert float(recall) > 0.4


def test_cinc2017_beats_guessing(run_on):
    told = run_on("cinc2017_rhythms.py", "cinc2017")
    assert re.search(r"records of (9|10) to (30|6\d) s", told)
    assert float(re.search(r"accuracy +([\d.]+)", told)[1]) > 0.5


def test_cinc2020_tells_what_was_left_out_and_who_labels_what(run_on):
    told = run_on("cinc2020_sources.py", "cinc2020")
    assert "27 records, and 1 left out:" in told
    assert re.search(r"^  JS\d+: no lead must be flat", told, re.MULTILINE)
    assert re.search(r"^CPSC 2018 +(0 *){8}$", told, re.MULTILINE)
    assert "fitted, not tested" in told


def test_own_records_beat_guessing_from_a_file(run_on):
    told = run_on("own_records.py", "ptbxl")
    score, guess = re.search(r"records: ([\d.]+) \(guessing: ([\d.]+)", told).groups()
    assert float(score) > float(guess) + 0.05


def beat_segments(tmp_path, data=None):
    """Return scores and segments with most evidence, after a look at the figure."""
    path = tmp_path / "beats.png"
    told = run("beat_segments.py", str(path), cwd=tmp_path, data=data)
    found = {}
    for network in ("ResNet1d", "LSTM1d"):
        _, table = told.split(f"\n{network}: balanced accuracy ")
        score, head, *rows = table.splitlines()[:4]
        assert head.split() == ["segment", *map(str, range(1, 12))]
        assert [row.split()[0] for row in rows] == ["N", "V"]
        (most,) = re.findall(rf"{network} finds .*'V': '(\d+)'", told)
        values = [float(value) for value in rows[1].split()[1:]]
        assert values[int(most) - 1] == max(values)
        found[network] = float(re.match(r"[\d.]+", score)[0]), int(most)
    pixels = image.imread(path)
    assert pixels.shape[1] > 2 * pixels.shape[0]  # side by side
    assert pixels.std() > 0.05
    path.unlink()
    assert list(tmp_path.iterdir()) == []
    return found


def test_beat_segments_of_two_networks(tmp_path, monkeypatch):
    monkeypatch.delenv("SK_ERTS_DATA", raising=False)
    for score, segment in beat_segments(tmp_path).values():
        assert score > 0.9
        # A premature beat is told by its QRS complex and its T wave.
        assert segment in (4, 5, 8, 9, 10)


@pytest.mark.real
def test_beat_segments_of_patients(tmp_path):
    if not (DATA / "mitbih").is_dir():
        pytest.skip(f"no mitbih in {DATA}; SK_ERTS_DATA names its parent folder")
    for score, segment in beat_segments(tmp_path, DATA).values():
        assert score > 0.8
        assert segment in (4, 5)  # the QRS complex


def test_a_network_of_ones_own_explains_itself(tmp_path):
    told = run("own_network.py", cwd=tmp_path)
    assert float(re.search(r"accuracy on new records: ([\d.]+)", told)[1]) > 0.8
    assert float(re.search(r"off by at most ([\de.+-]+)", told)[1]) < 1e-4


def test_a_judge_of_ones_own_tells_wrong_labels(tmp_path):
    told = run("own_judge.py", cwd=tmp_path)
    assert "judged by: seconds that speak for the label (share)" in told
    wrong, right = map(float, re.findall(r"put aside, \w+ labels: ([\d.]+)", told))
    assert wrong > 5 * right
    wrong, right = map(float, re.findall(r"score, \w+ labels: ([\d.]+)", told))
    assert wrong < right


def test_a_run_broken_off_ends_the_same_in_another_process(tmp_path):
    told = run("broken_off.py", cwd=tmp_path)
    assert "killed: True\nequal probabilities: True" in told


def test_a_recurrence_continues_records_better_than_their_last_value(tmp_path):
    told = run("forecast.py", cwd=tmp_path)
    errors = dict(re.findall(r"^([a-z -]+): ([\d.]+) mV$", told, re.MULTILINE))
    assert list(errors) == [
        "stays where it is",
        "as one beat before",
        "tensor-power recurrence",
    ]
    still, _, said = map(float, errors.values())
    assert said < 0.9 * still


@pytest.mark.parametrize("name", ["own_network.py", "own_judge.py", "broken_off.py"])
def test_what_is_ones_own_is_short(name):
    assert len((EXAMPLES / name).read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize(
    "example", sorted(EXAMPLES.glob("[a-z]*.py")), ids=lambda p: p.name
)
def test_every_example_asks_a_question(example):
    assert "?" in example.read_text(encoding="utf-8").splitlines()[0]
