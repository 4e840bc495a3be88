import runpy
import sys
from pathlib import Path

import pytest
from matplotlib import image

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """Run the demo with some arguments, in a folder of its own; return how it ends."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [str(DEMO), *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(DEMO), run_name="__main__")
        return ended.value.code

    return run


def test_quick_demo_prints_a_table_and_writes_three_figures(demo, capsys, tmp_path):
    assert demo("--quick", "--output", "figures/here") == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line[:9].strip(): line[9:].split() for line in lines}
    for scheme in ("full data", "DBPD", "ERTS", "shorter"):
        auc, f1, effective, passes, seconds, kept = rows[scheme]
        assert 0 <= float(f1) <= 1
        assert 0.5 < float(auc) <= 1
        assert float(seconds) > 0
        assert float(effective) / 10 == pytest.approx(
            float(kept.rstrip("%")) / 100, abs=0.011
        )
        # Full data looks once, when statistics are renewed at the end.
        assert (float(passes) <= 1) == (scheme in ("full data", "shorter"))
    assert rows["full data"][2] == "10.0"
    assert rows["full data"][5] == "100%"
    assert rows["shorter"][2] == rows["ERTS"][2]
    told = "".join(lines)  # long paths are folded
    folder = tmp_path / "figures" / "here"
    for name in ("selection.png", "explanation.png", "doubted.png"):
        assert image.imread(folder / name).std() > 0.05  # something is drawn
        assert str(Path("figures/here", name)) in told
    assert not (tmp_path / "demo_output").exists()


def test_folder_that_is_not_there(demo, capsys):
    assert demo("--quick", "--ptbxl", "no_such_folder") == 3
    assert "no_such_folder" in capsys.readouterr().err
