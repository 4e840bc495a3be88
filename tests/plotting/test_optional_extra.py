import subprocess
import sys

import pytest

from sk_erts._lib.optional import import_optional
from sk_erts.plotting import (
    BeatAttributionDisplay,
    ClassAverageDisplay,
    ECGDisplay,
    FaithfulnessDisplay,
    SelectionDisplay,
)
from tests.conftest import hide

DISPLAYS = [
    BeatAttributionDisplay([0.0, 1], [0, 1], before_s=0),
    ClassAverageDisplay([[1.0]]),
    ECGDisplay([0.0, 1.0, 0.0]),
    FaithfulnessDisplay([0, 1], {"gradcam": [[1, 0]]}),
    SelectionDisplay([[1, 0, 0, 0, 0, 0]], [1]),
]


def test_installed_module_is_returned():
    assert import_optional("json.decoder", extra="plot", purpose="A test").JSONDecoder


def test_missing_package_names_the_command():
    message = 'A test needs the package no_such_one.*pip install "sk-erts\\[plot\\]"'
    with pytest.raises(ImportError, match=f"(?s){message}") as caught:
        import_optional("no_such_one.part", extra="plot", purpose="A test")
    assert caught.value.name == "no_such_one"


def test_error_inside_an_installed_package_is_left_alone():
    with pytest.raises(ModuleNotFoundError, match=r"json\.no_such_part"):
        import_optional("json.no_such_part", extra="plot", purpose="A test")


@pytest.fixture
def without_matplotlib(monkeypatch):
    """Hide matplotlib from the import system."""

    hide(monkeypatch, "matplotlib", "mpl_toolkits")


@pytest.mark.usefixtures("without_matplotlib")
@pytest.mark.parametrize("display", DISPLAYS, ids=lambda one: type(one).__name__)
def test_plot_without_matplotlib_names_the_command(display):
    with pytest.raises(ImportError, match=r'pip install "sk-erts\[plot\]"'):
        display.plot()


def test_import_of_the_displays_does_not_import_matplotlib():
    code = "import sys, sk_erts.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
