import runpy
import sys
from pathlib import Path

import pytest
from matplotlib import image

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """Run the demo with some arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [str(DEMO), *arguments])
        runpy.run_path(str(DEMO), run_name="__main__")

    return run


def test_quick_demo_prints_a_table_and_writes_three_figures(demo, capsys, tmp_path):
    demo("--quick", "--output", "figures/here")
    lines = capsys.readouterr().out.splitlines()
    rows = {line[:9].strip(): line[9:].split() for line in lines}
    for scheme in ("full data", "DBPD", "ERTS", "shorter"):
        f1, effective, passes, seconds, kept = rows[scheme]
        assert 0 <= float(f1) <= 1
        assert float(seconds) > 0
        assert float(effective) / 10 == pytest.approx(
            float(kept.rstrip("%")) / 100, abs=0.011
        )
        # Full data looks once, when statistics are renewed at the end.
        assert (float(passes) <= 1) == (scheme in ("full data", "shorter"))
    assert rows["full data"][1] == "10.0"
    assert rows["full data"][4] == "100%"
    folder = tmp_path / "figures" / "here"
    assert rows["shorter"][1] == rows["ERTS"][1]
    for name in ("selection.png", "explanation.png", "doubted.png"):
        assert image.imread(folder / name).std() > 0.05  # something is drawn
        assert any(str(Path("figures/here", name)) in line for line in lines)
    assert not (tmp_path / "demo_output").exists()


def test_folder_that_is_not_there(demo):
    with pytest.raises(FileNotFoundError, match="no_such_folder"):
        demo("--quick", "--ptbxl", "no_such_folder")
