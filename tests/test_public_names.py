"""What the package shows: names, docstrings, and what importing it costs."""

import importlib
import inspect
import subprocess
import sys
from enum import IntEnum

import pytest
from numpydoc.docscrape import FunctionDoc

import sk_erts

MODULES = [
    "sk_erts",
    "sk_erts.attribution",
    "sk_erts.augmentation",
    "sk_erts.beats",
    "sk_erts.datasets",
    "sk_erts.exceptions",
    "sk_erts.losses",
    "sk_erts.metrics",
    "sk_erts.models",
    "sk_erts.plotting",
    "sk_erts.preprocessing",
    "sk_erts.pretraining",
    "sk_erts.quality",
    "sk_erts.report",
    "sk_erts.selection",
]

# Their constructors are those of built-in types.
EXEMPT = (BaseException, IntEnum)


def public_objects():
    for name in MODULES:
        module = importlib.import_module(name)
        for public in module.__all__:
            value = getattr(module, public)
            if inspect.isclass(value) or inspect.isfunction(value):
                yield pytest.param(value, id=f"{name}.{public}")


def documented_callables():
    """Public functions, and classes with their public methods."""
    for case in public_objects():
        (value,) = case.values
        if not (inspect.isclass(value) and issubclass(value, EXEMPT)):
            yield case
        if inspect.isclass(value):
            for name, member in vars(value).items():
                if inspect.isfunction(member) and not name.startswith("_"):
                    yield pytest.param(member, id=f"{case.id}.{name}")


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_and_complete(name):
    module = importlib.import_module(name)
    names = module.__all__

    def isort_style(word):
        bare = word.strip("_")
        return (not bare.isupper(), not bare[0].isupper(), word)

    assert names == sorted(names, key=isort_style)
    imported = {
        public
        for public, value in vars(module).items()
        if not public.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", "sk_erts").startswith("sk_erts")
    }
    assert imported <= set(names)


@pytest.mark.parametrize("value", list(public_objects()))
def test_every_public_object_has_an_example(value):
    assert ">>>" in inspect.getdoc(value)
    assert "+SKIP" not in inspect.getdoc(value)


@pytest.mark.parametrize("value", list(documented_callables()))
def test_docstrings_name_the_parameters_of_the_signature(value):
    documented = [
        name.strip().lstrip("*")
        for parameter in FunctionDoc(value)["Parameters"]
        for name in parameter.name.split(",")
    ]
    signature = [name for name in inspect.signature(value).parameters if name != "self"]
    assert documented == signature


@pytest.mark.parametrize(
    "library",
    ["matplotlib", "captum", "wfdb", "pooch", "dask", "accelerate", "sleepecg"],
)
def test_importing_does_not_import(library):
    script = f"import sk_erts, sys; sys.exit({library!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("module", ["sk_erts", "sk_erts.datasets", "sk_erts.quality"])
def test_reading_records_does_not_import_torch(module):
    """A second process that reads would spend longer on imports than it saves."""
    script = f"import {module}, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_unknown_name_is_an_attribute_error():
    assert "ERTSClassifier" in dir(sk_erts)
    with pytest.raises(AttributeError, match="'sk_erts' has no attribute 'Nothing'"):
        sk_erts.Nothing  # noqa: B018 (looked up for its error)
