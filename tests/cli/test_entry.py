"""How the command is started, what it says by itself, and how it ends."""

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

import sk_erts
from sk_erts import ERTSClassifier
from sk_erts._cli._app import app
from sk_erts._cli._errors import ExitCode, code_of
from sk_erts._cli._estimator_options import NOT_OFFERED, parameters, to_values
from sk_erts._cli._kinds import to_reading
from sk_erts._cli._settings import Settings
from sk_erts._cli._values import value_of
from sk_erts.exceptions import (
    ArchiveError,
    DownloadError,
    NonFiniteLossError,
    RecordError,
    WeightsError,
)
from tests.cli.conftest import error_of
from tests.cli.conftest import sk_erts as run
from tests.conftest import hide

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "audit",
    "benchmark",
    "evaluate",
    "explain",
    "fetch",
    "fit",
    "info",
    "predict",
    "report",
}


def started(*words, **environment):
    """Run the module in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "sk_erts", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "80"} | environment,
    )


def test_module_is_the_command():
    told = started("--version")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("sk-erts ")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["sk-erts"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_an_error_ends_a_process_with_its_code_and_one_line():
    told = started("predict", "nothing", "npz:nothing.npz", "--json")
    assert told.returncode == 4
    line = "There is no folder or file nothing."
    assert json.loads(told.stdout) == {"error": line, "exit_code": 4}
    assert told.stderr == f"error: {line}\n"


def test_completion_knows_parameters_and_does_without_torch():
    code = (
        "import sys, sk_erts.__main__ as start\n"
        "sys.argv = ['sk-erts']\n"
        "try:\n"
        "    start.main()\n"
        "finally:\n"
        "    heavy = {'torch', 'pandas', 'sklearn'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    asked = {"COMP_WORDS": "sk-erts fit --focus", "COMP_CWORD": "2"}
    asked["_SK_ERTS_COMPLETE"] = "complete_bash"
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | asked,
    )
    assert told.stdout.split() == ["--focus", "--focus-threshold"]


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_without_the_extra_one_line_says_what_to_install(monkeypatch, capsys, package):
    from sk_erts.__main__ import main

    hide(monkeypatch, package)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("error: The command sk-erts needs")
    assert line.endswith('pip install "sk-erts[cli]"')


def test_help_names_all_commands_and_fits():
    told = run("--help").stdout
    assert {name for name in COMMANDS if re.search(rf"│ {name} ", told)} == COMMANDS
    assert max(map(len, told.splitlines())) <= 80
    assert {
        command.name or command.callback.__name__ for command in app.registered_commands
    } == COMMANDS


def test_parameters_are_those_of_the_estimator():
    own = set(ERTSClassifier().get_params(deep=False))
    assert set(parameters()) == own - NOT_OFFERED
    for name, told in parameters().items():
        default = getattr(ERTSClassifier(), name)
        if name != "optimizer":
            assert value_of(told.default) == default
        assert len(told.text) > 10, name


def test_help_tells_parameters_from_the_docstring():
    told = " ".join(re.sub(r"[│\n]", " ", run("fit", "--help").stdout).split())
    assert "Share of the candidates of each class that is doubted." in told
    assert "Default: 0.5." in told
    assert ":class:" not in told
    assert "``" not in told


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_command_takes_json_and_debug(command):
    told = run(command, "--help").stdout
    assert "--json" in told
    assert "--debug" in told
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyError("x"), 1),
        (ValueError("x"), 2),
        (ImportError("x"), 2),
        (RecordError("x"), 3),
        (DownloadError("x"), 3),
        (PermissionError("x"), 3),
        (ArchiveError("x"), 4),
        (WeightsError("x"), 4),
        (NonFiniteLossError("x"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_codes_mean_something(error, code):
    assert code_of(error) == ExitCode(code) == code


def test_codes_are_documented():
    page = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert [int(code) for code in codes] == sorted(ExitCode)
    assert set(re.findall(r"^\| `(\w+)", page, re.MULTILINE)) >= COMMANDS


def blocks(language):
    """Return the blocks of the page in a language."""
    page = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_lines_on_the_page_are_commands():
    lines = [
        line
        for block in blocks("bash")
        for line in block.replace("\\\n", "").splitlines()
    ]
    lines = [line.partition(" | ")[0] for line in lines if line.startswith("sk-erts")]
    assert len(lines) > 8
    group = typer.main.get_command(app)
    for line in lines:
        name, *words = shlex.split(line)[1:]
        group.commands[name].make_context(name, words)


def test_file_on_the_page_is_understood():
    (block,) = blocks("toml")
    settings = Settings.of_dict(tomllib.loads(block), "page")
    assert to_values(settings.parameters)["augment"].share == 0.5
    assert to_reading(settings.data, settings.reading)["folds"] == list(range(1, 9))
    assert settings.filters == ("BandPass(low=0.5, high=40)",)


def test_debug_shows_where(monkeypatch):
    from typer.testing import CliRunner

    words = ["evaluate", "nowhere", "synthetic", "--debug"]
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == 4
    assert "Traceback" in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["predict"], "Missing argument 'RUN'"),
        (["fti"], "Did you mean 'fit'?"),
        (["fit", "ptb-xl:x", "-o", "y"], "Did you mean 'ptbxl'?"),
        (["fit", "ptbxl", "-o", "y"], "ptbxl must be ptbxl:FOLDER"),
        (["fit", "synthetic"], "--output FOLDER"),
        (["fit", "-o", "y"], "fit needs records"),
    ],
)
def test_wrong_words(words, says):
    assert says in error_of(*words, code=2)


def test_a_path_alone_is_told_its_kind(tmp_path):
    (tmp_path / "x.npz").touch()
    told = error_of("fit", tmp_path / "x.npz", "-o", tmp_path / "run", code=2)
    assert f"Write npz:{tmp_path / 'x.npz'}" in told


def test_version_is_that_of_the_package():
    assert run("--version").stdout.split()[1] in (sk_erts.__version__, "unknown")
