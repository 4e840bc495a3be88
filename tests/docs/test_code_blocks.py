"""What the pages show works: each block of Python and each command."""

import ast
import doctest
import importlib
import inspect
import json
import re
import shlex
import sys
import tomllib
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.exceptions import WeightsWarning
from sk_erts.preprocessing import Standardize
from tests.docs.pages import PAGES, ROOT, WITH_README, blocks, name_of, read

sys.path.insert(0, str(ROOT / "examples"))
from _stand_in import write_record

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
CODE_PAGES = [page for page in WITH_README if blocks(page, "python")]

# Not run, since it needs what a test has not; compiled, and its names must exist.
NOT_RUN = {
    ("docs/scaling.md", "Client("): "needs a Dask cluster (make test-clusters)",
    ("docs/scaling.md", "client.amm"): "needs a Dask cluster (make test-clusters)",
    ("docs/scaling.md", "init_process_group"): "needs several processes",
    ("docs/scaling.md", "to_shards(X"): "writes to a folder that machines share",
    ("docs/in_notebooks.md", "mlflow.start_run"): "needs TensorBoard, MLflow, wandb",
    ("docs/in_notebooks.md", "SummaryWriter(f"): "needs TensorBoard",
}
# Names of the pages' own that are so given there.
GIVEN = {"clf", "X", "y", "client", "grid"}


def small(X, y, **parameters):
    return ERTSClassifier(
        module__width=8,
        module__blocks=(1, 1),
        batch_size=8,
        random_state=0,
        **{"max_epochs": 3} | parameters,
    ).fit(X, y)


def two_leads():
    kinds = {"n_leads": 2, "duration_s": 1, "classes": ("NORM", "BBB")}
    X, y = make_ecg(24, random_state=0, **kinds)
    X_new, _ = make_ecg(8, random_state=1, **kinds)
    return {"X": X, "y": y, "X_new": X_new}


def twelve_leads():
    classes = ("NORM", "STE")
    X, y = make_ecg(24, duration_s=3, classes=classes, noise=0.3, random_state=0)
    return {"X": X, "y": np.where(y == "STE", "MI", "NORM"), "X_train": X}


def fitted():
    given = two_leads()
    return given | {"clf": small(given["X"], given["y"])}


def explained():
    given = twelve_leads()
    # Sure of what it says, or integrated gradients need long paths.
    clf = small(given["X"], given["y"], max_epochs=15, lr=0.003)
    few = np.argsort(-clf.predict_proba(given["X"]).max(axis=1))[:4]
    pipeline = make_pipeline(Standardize(), small(given["X"], given["y"]))
    pipeline.named_steps["standardize"].fit(given["X"])
    data = {"X": given["X"][few], "y": given["y"][few]}
    return data | {"clf": clf, "pipeline": pipeline}


def weights():
    given = fitted()
    X_new, y_new = make_ecg(
        20, n_leads=1, duration_s=1, classes=("NORM", "BBB", "PVC"), random_state=0
    )
    return given | {"X_new": X_new, "y_new": y_new}


def kept_in_a_folder():
    X, y = make_ecg(16, n_leads=1, duration_s=1, random_state=0)
    tiny = partial(ERTSClassifier, module__width=8, max_epochs=4, verbose=0)
    return {"X": X, "y": y, "ERTSClassifier": tiny}


def own_records(folder):
    """Write the folder and the table that the README reads."""
    (folder / "my_records").mkdir()
    kinds = {"n_leads": 2, "duration_s": 1, "classes": ("NORM", "BBB")}
    X, y = make_ecg(24, random_state=0, **kinds)
    lines = []
    for k, (signal, label) in enumerate(zip(X, y, strict=True)):
        write_record(folder / f"my_records/r{k:02d}", signal, ("I", "II"), 100)
        lines.append(f"r{k:02d},{label}\n")
    (folder / "my_labels.csv").write_text("".join(lines))


# What a page takes for given: data, or a fitted classifier.
PRELUDES = {
    "docs/choosing.md": two_leads,
    "docs/explanations.md": explained,
    "docs/how_sure.md": lambda: two_leads() | {"threshold": 0.5},
    "docs/reliability-engineering.md": kept_in_a_folder,
    "docs/reliability.md": twelve_leads,
    "docs/weights.md": weights,
    "docs/in_notebooks.md": fitted,
    "docs/comparison.md": fitted,
}
FOLDERS = {"README.md": own_records}
# Warnings that a page speaks of.
WARNS = {"docs/weights.md": WeightsWarning}


def reason_not_to_run(page, block):
    for (name, marker), reason in NOT_RUN.items():
        if name == name_of(page) and marker in block.text:
            return reason
    return None


def run_block(page, block, namespace):
    """Run a block as a session or as a script, in the page's namespace."""
    where = f"{name_of(page)}, line {block.line}"
    if ">>>" in block.text:
        session = doctest.DocTestParser().get_doctest(
            block.text, namespace, where, str(page), block.line - 1
        )
        told = []
        runner = doctest.DocTestRunner(optionflags=FLAGS)
        result = runner.run(session, out=told.append, clear_globs=False)
        assert not result.failed, "".join(told)
        namespace.update(session.globs)
    else:
        source = "\n" * (block.line - 1) + block.text
        exec(compile(source, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", CODE_PAGES, ids=name_of)
def test_python_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = name_of(page)
    namespace = {"__name__": "page"}
    namespace.update(PRELUDES.get(name, dict)())
    if name in FOLDERS:
        FOLDERS[name](tmp_path)
    with warnings.catch_warnings():
        if name in WARNS:
            warnings.simplefilter("ignore", WARNS[name])
        for block in blocks(page, "python"):
            if reason_not_to_run(page, block) is None:
                run_block(page, block, namespace)


def unknown_names(block):
    """Return names of a block that nothing has, and arguments that nothing takes."""
    tree = ast.parse(block.text)
    known, bad = {}, []
    assigned = GIVEN | set(dir(__builtins__)) | set(__builtins__)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assigned |= {(a.asname or a.name).partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assigned |= {a.asname or a.name for a in node.names}
            try:
                module = importlib.import_module(node.module)
            except ModuleNotFoundError as error:  # of a package that is not here
                if error.name.startswith("sk_erts"):
                    bad.append(node.module)
                continue
            for alias in node.names:
                if hasattr(module, alias.name):
                    known[alias.asname or alias.name] = getattr(module, alias.name)
                else:
                    bad.append(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            assigned.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            assigned.add(node.name)
        elif isinstance(node, ast.arg):
            assigned.add(node.arg)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in assigned:
            bad.append(node.id)
        if isinstance(node, ast.Call):
            bad += _unknown_arguments(node, known)
    return bad


def _unknown_arguments(call, known):
    function = call.func
    if isinstance(function, ast.Name) and function.id in known:
        target = known[function.id]
    elif isinstance(function, ast.Attribute) and function.attr == "fit":
        target = ERTSClassifier.fit
    else:
        return []
    takes = inspect.signature(target).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in takes):
        return []
    names = {one.name for one in takes}
    return [
        f"{ast.unparse(function)}({word.arg}=)"
        for word in call.keywords
        if word.arg is not None and word.arg not in names
    ]


@pytest.mark.parametrize(("name", "marker"), NOT_RUN)
def test_python_that_is_not_run_is_sound(name, marker):
    # A block may go on with what those before it have imported.
    shown = [b for b in blocks(ROOT / name, "python") if marker in b.text]
    assert shown, f"{name} has no block with {marker!r}: take it off the list"
    for block in shown:
        before = [b for b in blocks(ROOT / name, "python") if b.line < block.line]
        imported = "".join(
            f"{ast.unparse(node)}\n"
            for b in before
            for node in ast.parse(b.text).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        )
        whole = type(block)("python", imported + block.text, block.line)
        assert unknown_names(whole) == [], f"{name}, line {block.line}"


class Parsed(Exception):
    """Ends a main before it does anything."""


def unknown_options(module, words):
    """Return options that do not stand in a module's text."""
    text = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    return sorted(option for option in given if f'"{option}"' not in text)


@pytest.fixture
def parses(monkeypatch):
    """Return a function that lets a benchmark read its command line, and no more."""
    argparse = importlib.import_module("argparse")
    whole = argparse.ArgumentParser.parse_args

    def parse(self, *arguments, **named):
        whole(self, *arguments, **named)
        raise Parsed

    def run(module, words):
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name.startswith("benchmarks"):
                return f"there is no {module}"
            return unknown_options(module, words)  # it needs a package more
        monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)
        monkeypatch.setattr(sys, "argv", [module, *words])
        try:
            found.main()
        except Parsed:
            return None
        except SystemExit:
            return f"{module} does not take {words}"
        return f"{module} reads no command line, but is given {words}"

    return run


def commands(page):
    """Return the commands of a page's blocks, with placeholders as plain words."""
    found = []
    for block in blocks(page, "bash"):
        text = block.text.replace("\\\n", " ")
        for line in text.splitlines():
            line = re.sub(r"<[^>]*>", "folder", line)
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words = words[1:]
            if words:
                found.append(words[: words.index("|")] if "|" in words else words)
    return found


def make_targets():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return set(project["project"]["optional-dependencies"])


def wrong_with_make(words):
    wanted = {word for word in words[1:] if "=" not in word}
    return sorted(wanted - make_targets())


def wrong_with_pip(words):
    named = re.findall(r"\[([\w,-]+)\]", " ".join(words))
    wanted = {extra for group in named for extra in group.split(",")}
    return sorted(wanted - extras())


def wrong_with_sk_erts(words):
    from typer.main import get_command

    from sk_erts._cli._app import app

    group = get_command(app)
    words = [word for word in words if word != "--"]
    if words[1:2] and words[1].startswith("-"):
        command, options = group, words[1:]
    elif len(words) > 1 and words[1] in group.commands:
        command, options = group.commands[words[1]], words[2:]
    else:
        return [" ".join(words[:2])]
    context = command.make_context("sk-erts", [], resilient_parsing=True)
    takes = {
        option
        for parameter in command.get_params(context)
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    given = {word.partition("=")[0] for word in options if word.startswith("--")}
    return sorted(given - takes - {"--help"})


def wrong_with(words, parses):
    """Return what is wrong with a command, nothing if it is sound."""
    match words:
        case ["make", *_]:
            return wrong_with_make(words)
        case ["pip", "install", *_]:
            return wrong_with_pip(words)
        case ["python", "-m", module, *rest] if module.startswith("benchmarks."):
            return parses(module, rest)
        case ["python", "-m", "sk_erts", *rest] | ["sk-erts", *rest]:
            return wrong_with_sk_erts(["sk-erts", *rest])
        case ["python", script, *_] | ["torchrun", *_, script]:
            return None if (ROOT / script).is_file() else f"no {script}"
    return f"nobody knows how to check {words[0]!r}"


BASH_PAGES = [page for page in WITH_README if blocks(page, "bash")]


@pytest.mark.parametrize("page", BASH_PAGES, ids=name_of)
def test_commands_are_sound(page, parses):
    wrong = {" ".join(words): wrong_with(words, parses) for words in commands(page)}
    assert {command: told for command, told in wrong.items() if told} == {}


def test_no_block_is_of_a_language_that_nobody_checks():
    languages = set()
    for page in WITH_README:
        languages |= set(re.findall(r"^```([^\s`]+)", read(page), re.MULTILINE))
    checked = {"python", "bash"}
    shown = {"text", "toml", "{toctree}", "{glossary}", "{literalinclude}", "{figure}"}
    assert languages - checked - shown == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_toml_block_can_be_read(page):
    for block in blocks(page, "toml"):
        json.dumps(tomllib.loads(block.text), default=str)


def test_install_names_all_extras():
    told = set(re.findall(r"^\| `(.+?)` \|", read(ROOT / "docs/install.md"), re.M))
    words = {word.strip("`, ") for row in told for word in re.split(r"[ ,]+", row)}
    words |= set(re.findall(r"`(\w+)`", read(ROOT / "docs/install.md")))
    assert extras() <= words
