"""Guided by coverage: atheris changes files until they reach new code.

``python -m tests.fuzz.guided --target scp --seconds 60``, or all targets. Each runs in
a process of its own, so that one that ends it is found too. What fails is kept in the
folder ``--findings``; ``--replay FILE`` attempts it again.
"""

# A script tells what it finds.
# ruff: noqa: T201

import argparse
import contextlib
import copy
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

# Far more than any sound file takes.
SLOWEST_S, MOST_MB = 25, 4096
INSTRUMENTED = ["sk_erts", "pydicom.filereader", "pydicom.fileutil"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", help="by default all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--findings", type=Path, default=Path("fuzz_findings"))
    parser.add_argument("--seed", type=int, default=0, help="0 draws one")
    parser.add_argument("--replay", type=Path, help="a file to attempt again")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder is not None:
        fuzz(given)
        return 0
    from tests.fuzz.targets import TARGETS, attempted

    wanted = given.target or list(TARGETS)
    if given.replay is not None:
        with tempfile.TemporaryDirectory() as folder:
            TARGETS[wanted[0]].seeds(Path(folder))
            data = given.replay.read_bytes()
            print("read" if attempted(TARGETS[wanted[0]], data, Path(folder)) else "no")
        return 0
    return sum(run(name, given) for name in wanted) > 0


def run(name, given):
    """Fuzz a target in a process of its own; return how many failures it found."""
    given.findings.mkdir(exist_ok=True)
    before = set(given.findings.iterdir())
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz.guided", "--target", name]
        command += ["--seconds", str(given.seconds), "--seed", str(given.seed)]
        command += ["--findings", str(given.findings), "--folder", folder]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
    said = done.stdout + done.stderr
    runs = re.findall(r"number_of_executed_units:\s*(\d+)", said)
    reached = re.findall(r"cov: (\d+)", said)
    found = {
        file for file in given.findings.iterdir() if file.suffix != ".txt"
    } - before
    new = sorted(found)
    counted = re.findall(r"attempts read: (\d+)", said)
    n_runs, n_read, n_edges = (
        own[-1] if own else "?" for own in (runs, counted, reached)
    )
    print(
        f"{name:12} {n_runs:>9} runs, {n_read} read, {n_edges} edges, {len(new)} "
        "failures",
        flush=True,
    )
    for file in new:
        print(f"    {file}")
    if done.returncode and not new:
        print(f"    the process ended with {done.returncode}: {said[-2000:]}")
    return len(new) + (done.returncode != 0 and not new)


def fuzz(given):
    """Fuzz one target, in this process, until the time is over."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS, attempted

    name = given.target[0]
    target = TARGETS[name]
    folder = given.folder
    corpus, work = folder / "corpus", folder / "work"
    corpus.mkdir()
    work.mkdir()
    for k, content in enumerate(target.seeds(work)):
        (corpus / str(k)).write_bytes(content)
    seen = set()
    n_read = 0

    def once(data):
        nonlocal n_read
        try:
            if attempted(target, data, work):
                n_read += 1
                if n_read & (n_read - 1) == 0 or n_read % 100 == 0:
                    print(f"attempts read: {n_read}", flush=True)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            sign = f"{type(error).__name__} {where.filename}:{where.lineno}"
            if sign in seen:
                return
            seen.add(sign)
            digest = hashlib.sha1(sign.encode()).hexdigest()[:10]
            (given.findings / f"{name}-{digest}").write_bytes(data)
            (given.findings / f"{name}-{digest}.txt").write_text(
                f"{sign}\n{traceback.format_exc()}", errors="replace"
            )

    arguments = [
        "guided",
        f"-max_total_time={given.seconds}",
        f"-timeout={SLOWEST_S}",
        f"-rss_limit_mb={MOST_MB}",
        f"-artifact_prefix={given.findings}/{name}-ended-",
        "-print_final_stats=1",
        "-max_len=65536",
        *([f"-seed={given.seed}"] if given.seed else []),
        str(corpus),
    ]
    more = {"custom_mutator": changed_tree} if target.is_tree else {}
    atheris.Setup(arguments, once, **more)
    # What libraries print of damaged files is not read.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        atheris.Fuzz()


NASTY = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 0.5, 1e308, "", "a", "nan"),
    *([], {}, [[]], {"$": "tensor"}, {"@": "name"}, "\0", "\ud800", 1e-320, "$", "@"),
)


def changed_tree(data, most_bytes, seed):
    """Return JSON in which one to three parts are others; libFuzzer's mutator."""
    chance = random.Random(seed)
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return b"{}"
    for _ in range(chance.randint(1, 3)):
        places = list(_places(tree))
        if not places:
            break
        parent, key = chance.choice(places)
        other, its = chance.choice(places)
        match chance.randrange(6):
            case 0 | 1:
                parent[key] = copy.deepcopy(chance.choice(NASTY))
            case 2:
                parent[key] = copy.deepcopy(other[its])
            case 3:
                del parent[key]
            case 4 if isinstance(parent[key], int | float):
                parent[key] = parent[key] * chance.choice([-1, 0, 2, 1000, 0.5])
            case 4 if isinstance(parent[key], str):
                text = parent[key]
                at = chance.randint(0, len(text))
                parent[key] = text[:at] + chance.choice(["", "x", "."]) + text[at + 1 :]
            case _ if isinstance(parent, list):
                parent.insert(key, copy.deepcopy(other[its]))
            case _:
                name = chance.choice(["x", "$", "@", "name", "of", str(key)])
                parent[name] = copy.deepcopy(other[its])
    changed = json.dumps(tree).encode()
    return changed if len(changed) <= most_bytes else data


def _places(tree):
    """Yield where each part of a tree stands."""
    keys = tree if isinstance(tree, dict) else range(len(tree))
    for key in list(keys):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _places(tree[key])


if __name__ == "__main__":
    sys.exit(main())
