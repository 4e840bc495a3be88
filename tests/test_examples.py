"""The examples do what they say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name, *arguments, cwd):
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_first_fit_learns_and_explains(tmp_path):
    told = run("first_fit.py", cwd=tmp_path)
    assert float(re.search(r"accuracy on new records: ([\d.]+)", told)[1]) > 0.8
    spent, of = re.search(r"effective epochs: ([\d.]+) of (\d+)", told).groups()
    assert float(spent) < 0.7 * int(of)
    assert re.search(r"record 0: \w+, evidence at [\d.]+ s", told)
    assert re.search(r"put aside as unreliable in [1-9]\d* epochs", told)
    assert list(tmp_path.iterdir()) == []


def test_grid_search_over_focus_thresholds(tmp_path):
    told = run("grid_search_focus.py", cwd=tmp_path)
    scores = re.findall(r"'focus_threshold': ([\d.]+)}: macro-F1 ([\d.]+)", told)
    assert [threshold for threshold, _ in scores] == ["0.1", "0.3", "0.5"]
    assert re.search(r"best: {'focus_threshold': [\d.]+}", told)


def test_beat_segments_of_two_networks(tmp_path, monkeypatch):
    monkeypatch.delenv("SK_ERTS_DATA", raising=False)
    told = run("beat_segments.py", cwd=tmp_path)
    for network in ("ResNet1d", "LSTM1d"):
        _, table = told.split(f"\n{network}: balanced accuracy ")
        score, head, _, *rows = table.splitlines()[:5]
        assert float(re.match(r"[\d.]+", score)[0]) > 0.9
        assert head.split() == ["segment", *map(str, range(1, 12))]
        assert [row.split()[0] for row in rows] == ["N", "V"]
        # A premature beat is told by its QRS complex and its T wave.
        (found,) = re.findall(rf"{network} finds .*'V': (\d+)", told)
        assert int(found) in (4, 5, 8, 9, 10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.name)
def test_every_example_asks_a_question(example):
    assert "?" in example.read_text(encoding="utf-8").splitlines()[0]
