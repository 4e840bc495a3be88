"""Break the code in many small ways, and count how often a test notices.

    python -m benchmarks.mutants --sample 200 --seed 1

works on a copy of the tree. It first runs the tests of the copy once, to learn which
test runs which line. Then it draws mutants at random, writes one after the other into
the copy, and runs the tests that run its line, the quickest first, until one fails.

The mutants are mutmut's: another number, operator, comparison or string, an argument
that is None or missing, a name bound to None, a branch of a conditional expression that
is never taken. mutmut's own runner would leave out every decorated function; here whole
files are rewritten, so that properties, context managers and default values count too.
Left out are docstrings, annotations, decorators, imports, ``__all__``,
``if TYPE_CHECKING``, and the wording (not the values) of what is raised, warned or
logged.

torch and the other libraries are imported once, each mutant is tested in a fork.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import importlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import coverage
import libcst as cst
import pytest
from hypothesis import HealthCheck, settings
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.mutators import mutation_operators, operator_string
from mutmut.mutation.pragma_handling import IgnoredCode

PACKAGES = ("selection", "_training", "attribution")
# Of the others none is about these packages, or they take minutes.
TESTS = ["selection", "training", "attribution", "augmentation"]
TESTS += ["metrics/test_contract.py"]
MARKS = "not real and not slow and not cluster"
NOT_THESE = ("clusters", "design", "examples", "public_names", "real_ecg")
# What the tests import; the package itself is imported anew for each mutant.
LIBRARIES = [
    "captum.attr",
    "hypothesis.extra.numpy",
    "joblib",
    "matplotlib.pyplot",
    "onnxruntime",
    "pandas",
    "safetensors.torch",
    "scipy.signal",
    "scipy.stats",
    "skorch",
    "sklearn.model_selection",
    "sklearn.utils.estimator_checks",
    "torch",
]
CONTROL_EVERY = 25  # mutants; the tests must pass on what is not broken
# What pytest says of a test that fails, or cannot be imported.
NOTICED = ("FAILED ", "ERROR ")
SPEAK = {"refuse", "warn", "debug", "info", "warning", "error"}


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: str
    line: int
    number: int  # of this file's mutations
    module: cst.Module
    mutation: Mutation

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line}:{self.number}"

    def code(self) -> str:
        old, new = self.mutation.original_node, self.mutation.mutated_node
        return self.module.deep_replace(old, new).code

    def change(self) -> str:
        before, after = self.module.code, self.code()
        lines = difflib.ndiff(before.splitlines(), after.splitlines())
        return "\n".join(line for line in lines if line[:2] in ("- ", "+ "))

    def is_another_program(self) -> bool:
        """Tell whether it is Python, and not the same but for brackets."""
        try:
            after = ast.dump(ast.parse(self.code()))
        except SyntaxError:
            return False
        return after != ast.dump(ast.parse(self.module.code))


class Mutations(MutationVisitor):
    """mutmut's mutations of a whole file, decorated functions among them."""

    METADATA_DEPENDENCIES = MutationVisitor.METADATA_DEPENDENCIES

    def __init__(self) -> None:
        super().__init__(mutation_operators, IgnoredCode(set(), set(), set()))
        self._with_strings = self._operators
        self._spoken = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _speaks(node):
            self._spoken += 1
            self._operators = [
                pair for pair in self._with_strings if pair[1] is not operator_string
            ]
        return super().on_visit(node)

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if _speaks(original_node):
            self._spoken -= 1
            if not self._spoken:
                self._operators = self._with_strings
        super().on_leave(original_node)

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(
            node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom
        ):
            return True
        if isinstance(node, cst.If):
            return getattr(node.test, "value", None) == "TYPE_CHECKING"
        if isinstance(node, cst.Assign):
            target = getattr(node.targets[0].target, "value", None)
            return target in ("__all__", "__version__")
        return False


def _speaks(node: cst.CSTNode) -> bool:
    """Tell whether this is said to the user."""
    if isinstance(node, cst.Raise):
        return True
    if not isinstance(node, cst.Call):
        return False
    function = node.func
    name = function.attr if isinstance(function, cst.Attribute) else function
    return isinstance(name, cst.Name) and name.value in SPEAK


def mutants_of(path: str) -> list[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(Path(path).read_text()))
    visitor = Mutations()
    module = wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    return [
        Mutant(path, positions[each.original_node].start.line, number, module, each)
        for number, each in enumerate(visitor.mutations)
    ]


class WhichTests:
    """A pytest plugin that notes which test runs which line, and how long it takes.

    Tests of which that is known are left out.
    """

    def __init__(self, folder: Path) -> None:
        self.seconds_file, self.lines = folder / "seconds.json", folder / "lines"
        self.seconds: dict[str, float] = {}
        if self.seconds_file.exists():
            self.seconds = json.loads(self.seconds_file.read_text())
        self.failed: set[str] = set()
        self.coverage = coverage.Coverage(
            data_file=str(folder / "more_lines"),
            include=[f"*/sk_erts/{package}/*" for package in PACKAGES],
            config_file=False,
        )
        self.coverage.start()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # One that is gone would be missed with any mutant.
        there = {item.nodeid for item in items}
        files = {name.partition("::")[0] for name in there}
        for test in [*self.seconds]:
            if test.partition("::")[0] in files and test not in there:
                del self.seconds[test]
        items[:] = [item for item in items if item.nodeid not in self.seconds]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        start = time.perf_counter()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.perf_counter() - start
            self.coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = coverage.CoverageData(str(self.lines))
        data.read()
        data.update(self.coverage.get_data())
        data.write()
        for test in self.failed:  # they would kill every mutant
            self.seconds.pop(test, None)
        self.seconds_file.write_text(json.dumps(self.seconds))


def learn(folder: Path, files: list[str]) -> None:
    """Run tests once, in the working directory; all of them if no files are given."""
    files = files or _all_files()
    ended = pytest.main(["-q", "-m", MARKS, *files], plugins=[WhichTests(folder)])
    if ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        sys.exit(ended)


def _all_files() -> list[str]:
    files = [f"tests/{name}" for name in TESTS]
    files += [
        str(file)
        for file in sorted(Path("tests").glob("test_*.py"))
        if file.stem.removeprefix("test_") not in NOT_THESE
    ]
    return files + [f"sk_erts/{package}" for package in PACKAGES]


class Chosen:
    """The tests that run the line of a mutant: its own, then the quickest.

    What takes longer than ``limit_s`` together is left out, and cannot kill it.
    """

    def __init__(self, folder: Path, limit_s: float) -> None:
        self.limit_s = limit_s
        self.seconds = json.loads((folder / "seconds.json").read_text())
        self.data = coverage.CoverageData(str(folder / "lines"))
        self.data.read()
        self.files = {
            file[file.rindex("sk_erts/") :]: file for file in self.data.measured_files()
        }

    def tests(self, mutant: Mutant) -> list[str]:
        if mutant.path not in self.files:
            return []
        by_line = self.data.contexts_by_lineno(self.files[mutant.path])
        lines = _statement(ast.parse(mutant.module.code), mutant.line) or by_line.keys()
        tests = {test for line in lines for test in by_line.get(line, ())}
        if tests == {""}:
            # It ran at import alone, and the package is imported anew for each mutant:
            # whatever test uses the file may notice.
            tests = set().union(*by_line.values())
        own = f"/test_{Path(mutant.path).stem.strip('_')}.py"
        chosen, total = [], 0.0
        for test in sorted(
            tests & self.seconds.keys(), key=lambda t: (own not in t, self.seconds[t])
        ):
            total += self.seconds[test]
            if total > self.limit_s and chosen:
                break
            chosen.append(test)
        return chosen


def _statement(tree: ast.Module, line: int) -> range | None:
    """Return the lines of the statement; None for one that runs at import."""
    lines = None
    node: ast.AST = tree
    while True:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                body = getattr(child, "body", None)
                first = getattr(child, "lineno", None) or child.pattern.lineno
                last = getattr(child, "end_lineno", None) or body[-1].end_lineno
                if first <= line <= last:
                    break
        else:
            return lines
        if isinstance(child, ast.FunctionDef) and line >= body[0].lineno:
            lines = range(0)
        if lines is not None:
            lines = range(first, body[0].lineno if body else last + 1)
        node = child


class Only:
    """A pytest plugin that runs some tests of the files given, in their order.

    One that the mutant took away, as a case of a table that is no longer in it, is left
    out: nobody would miss it.
    """

    def __init__(self, tests: list[str]) -> None:
        self.place = {test: i for i, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        there = [item for item in items if item.nodeid in self.place]
        items[:] = sorted(there, key=lambda item: self.place[item.nodeid])


def test_of(path: Path, code: str, tests: list[str], limit: float) -> tuple[str, str]:
    """Return what became of other code in a file, and the test that noticed it."""
    before = path.read_text()
    output = Path("output.txt")
    path.write_text(code)
    pid = os.fork()
    try:
        if not pid:
            _run(tests, output, round(limit))
        deadline = time.monotonic() + 20 * limit  # what waits for ever
        while time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                break
            time.sleep(0.02)
        else:
            status = None
    finally:
        with contextlib.suppress(ProcessLookupError):  # and of what the test started
            os.killpg(pid, signal.SIGKILL)
        path.write_text(before)
    if status is None:
        os.waitpid(pid, 0)
        return "timed out", ""
    said = output.read_text(errors="replace")
    ended = os.waitstatus_to_exitcode(status)
    if ended in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return "survived", ""
    if ended == -signal.SIGXCPU:
        return "timed out", ""
    by = [line for line in said.splitlines() if line.startswith(NOTICED)]
    if not by and ended > 0:
        raise RuntimeError(f"No test failed, and pytest ended with {ended}:\n{said}")
    return "killed", by[0] if by else f"by signal {-ended}"


def _run(tests: list[str], output: Path, limit: int) -> None:
    """Run tests in a fork, which ends with pytest's status."""
    status = 99
    try:
        os.setsid()
        # Of the processor's time, which on a busy machine is not the clock's.
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        # Nor may Hypothesis look at the clock, or draw what it did not draw before.
        settings.register_profile(
            "mutants",
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        )
        settings.load_profile("mutants")
        options = ["-x", "-q", "--tb=line", "-rfE", "-p", "no:cacheprovider"]
        files = sorted({test.partition("::")[0] for test in tests})
        status = int(pytest.main([*options, *files], plugins=[Only(tests)]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wilson(killed: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    if not n:
        return 0.0, 1.0
    share = killed / n
    middle = share + z**2 / (2 * n)
    half = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def table(mutants: list[Mutant], results: dict[str, str]) -> str:
    rows = ["| package | mutants | tried | killed | timed out | survived | no test |"]
    rows[0] += " killed, 95 % interval |"
    rows.append("|---" * 8 + "|")
    for package in (*PACKAGES, ""):
        of = [m for m in mutants if m.path.startswith(f"sk_erts/{package}")]
        tried = Counter(results[m.name] for m in of if m.name in results)
        n = tried.total()
        killed = tried["killed"] + tried["timed out"]
        low, high = wilson(killed, n)
        rows.append(
            f"| {package or 'all'} | {len(of)} | {n} | {tried['killed']} "
            f"| {tried['timed out']} | {tried['survived']} | {tried['no test']} "
            f"| {killed / max(n, 1):.1%} ({low:.1%} to {high:.1%}) |"
        )
    return "\n".join(rows)


def copy_of_tree(folder: Path, files: list[str]) -> Path:
    """Copy some files, or what git knows or would add, and link the data beside it."""
    copy = folder / "tree" / "main"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in [*files, "benchmarks/mutants.py"] if files else listed.split("\0"):
        if name and Path(name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, copy / name)
    shared = Path("../shared").resolve()
    if shared.is_dir() and not (copy.parent / "shared").exists():
        (copy.parent / "shared").symlink_to(shared)
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="how many; all if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=90, help="of tests per mutant")
    parser.add_argument("--only", nargs="*", help="names of mutants, as printed")
    parser.add_argument("--folder", type=Path, help="to keep what was learned in")
    parser.add_argument(
        "--learn-more",
        nargs="*",
        default=[],
        metavar="FILE",
        help="copy these test files alone into the folder, whose code stays as it was "
        "learned, and learn the tests in them that are new",
    )
    parser.add_argument("--learn", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp())).resolve()
    if options.learn:
        learn(folder, options.learn_more)
        return
    copy = copy_of_tree(folder, options.learn_more)
    os.chdir(copy)
    os.environ.update(OMP_NUM_THREADS="1", PYTHONPATH=str(copy))
    # Others' plugins take seconds to load, and warn of what is already imported.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # Without its plugin Hypothesis refuses properties that are parametrised.
    os.environ["PYTEST_PLUGINS"] = "_hypothesis_pytestplugin"
    sys.path.insert(0, str(copy))
    if options.learn_more or not (folder / "seconds.json").exists():
        command = [sys.executable, "-m", "benchmarks.mutants", "--learn"]
        command += ["--folder", str(folder), "--learn-more", *options.learn_more]
        subprocess.run(command, check=True)
    # Two mutants of one size in one second look alike to what Python has compiled.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    sys.stdout.write(run(folder, options) + "\n")


def judged(mutant: Mutant, chosen: Chosen, n_before: int) -> str:
    """Try one mutant, and tell what became of it."""
    tests = chosen.tests(mutant)
    start = time.perf_counter()
    result, by = "no test", ""
    if tests:
        path = Path(mutant.path)
        limit = 60 + 5 * sum(chosen.seconds[test] for test in tests)
        if not n_before % CONTROL_EVERY:
            control, by = test_of(path, mutant.module.code, tests, limit)
            if control != "survived":
                raise RuntimeError(f"What is not broken {control}: {by}")
        result, by = test_of(path, mutant.code(), tests, limit)
    taken = f"{len(tests)} tests, {time.perf_counter() - start:.1f} s"
    sys.stdout.write(f"{result}: {mutant.name} ({taken}) {by}\n")
    if result != "killed":
        sys.stdout.write(mutant.change() + "\n")
    sys.stdout.flush()
    return result


def run(folder: Path, options: argparse.Namespace) -> str:
    chosen = Chosen(folder, options.seconds)
    files = [str(f) for p in PACKAGES for f in sorted(Path("sk_erts", p).glob("*.py"))]
    if options.only is not None:
        files = sorted({name.partition(":")[0] for name in options.only})
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    drawn = mutants
    if options.only is not None:
        named = {mutant.name: mutant for mutant in mutants}
        drawn = [named[name] for name in options.only]
    elif options.sample is not None:
        drawn = random.Random(options.seed).sample(mutants, options.sample)
    for library in LIBRARIES:
        importlib.import_module(library)
    results: dict[str, str] = {}
    with contextlib.suppress(KeyboardInterrupt):  # the first of a sample are one too
        for mutant in drawn:
            if mutant.is_another_program():
                results[mutant.name] = judged(mutant, chosen, len(results))
    return table(mutants, results)


if __name__ == "__main__":
    main()
