"""The checks that all packages share, and the words of their errors."""

import re
from fractions import Fraction

import numpy as np
import pytest

from sk_erts._lib.checks import (
    as_array,
    as_numbers,
    check_choice,
    check_choices,
    check_count,
    check_frequency,
    check_lead_names,
    check_number,
    check_shape,
    is_int,
    is_number,
    refuse,
)


class Owner:
    pass


def refused(message):
    """Expect an error whose whole text is this."""
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")


# ---------------------------------------------------------------------------- refuse


def test_an_error_names_owner_parameter_and_value():
    with refused("The 'a' parameter of f must be 1. Got 2 instead."):
        refuse("f", "a", "be 1", 2)


def test_an_error_may_end_with_advice():
    with refused("The 'a' parameter of f must be 1. Got 2 instead. Take 1."):
        refuse("f", "a", "be 1", "2", "Take 1.")


def test_an_object_stands_for_its_class():
    with refused("The 'a' parameter of Owner must be 1. Got 2 instead."):
        refuse(Owner(), "a", "be 1", 2)


# --------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "number", "whole"),
    [
        (1, True, True),
        (1.0, True, False),
        (np.float32(1), True, False),
        (np.int8(1), True, True),
        (Fraction(1, 2), True, False),
        (True, False, False),
        (np.True_, False, False),
        ("1", False, False),
        (1j, False, False),
        (None, False, False),
        ([1], False, False),
    ],
)
def test_what_is_a_number(value, number, whole):
    assert is_number(value) is number
    assert is_int(value) is whole


@pytest.mark.parametrize(
    ("bounds", "good", "bad", "words"),
    [
        ({}, [-1e300, 0], [], "be a finite number"),
        ({"above": 0}, [1e-300, 5], [0, -1], "be a finite number above 0"),
        ({"least": 0.5}, [0.5, 9], [0.4], "be a finite number of at least 0.5"),
        ({"below": 0}, [-1e-300], [0, 1], "be a number below 0"),
        ({"most": 2}, [2, -7], [2.1], "be a number at most 2"),
        ({"least": 0, "most": 1}, [0, 1], [-0.1, 1.1], "be a number in [0, 1]"),
        (
            {"above": 0, "most": 1},
            [0.1, 1],
            [0, 1.1],
            "be a number above 0 and at most 1",
        ),
        (
            {"least": 0, "below": 50.0},
            [0, 49.9],
            [-0.1, 50],
            "be a number of at least 0 and below 50",
        ),
    ],
)
def test_a_number_must_lie_between_its_bounds(bounds, good, bad, words):
    for value in good:
        assert check_number("f", "a", value, **bounds) == value
    for value in [*bad, np.nan, np.inf, -np.inf, True, "1", None, [1]]:
        with refused(f"The 'a' parameter of f must {words}. Got {value!r} instead."):
            check_number("f", "a", value, **bounds)


def test_a_number_is_returned_as_a_float():
    assert type(check_number("f", "a", np.int8(3))) is float
    assert type(check_frequency("f", np.float32(3))) is float


@pytest.mark.parametrize("value", [0, 1.0, True, "1", None, np.nan])
def test_a_count_is_an_int_of_at_least_one(value):
    words = "be an int of at least 1"
    with refused(f"The 'n' parameter of f must {words}. Got {value!r} instead."):
        check_count("f", "n", value)


def test_a_count_has_both_bounds_within():
    assert [check_count("f", "n", n, 0, 2) for n in range(3)] == [0, 1, 2]
    assert type(check_count("f", "n", np.int16(3))) is int
    for bad in (-1, 3):
        with refused(
            f"The 'n' parameter of f must be an int in [0, 2]. Got {bad} instead."
        ):
            check_count("f", "n", bad, 0, 2)


def test_a_large_bound_is_written_out():
    with pytest.raises(ValueError, match=r"in \[1, 1234567\]\."):
        check_count("f", "n", 0, 1, 1234567)


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, True, "100", None])
def test_a_frequency_is_above_zero(value):
    with refused(
        "The 'fs_in' parameter of Owner must be a sampling frequency in Hz, a finite "
        f"number above 0. Got {value!r} instead."
    ):
        check_frequency(Owner(), value, "fs_in")


def test_a_frequency_is_called_fs():
    assert check_frequency("f", 0.5) == 0.5
    with pytest.raises(ValueError, match="^The 'fs' parameter of f "):
        check_frequency("f", 0)


# ----------------------------------------------------------------------------- names


def test_a_choice_is_returned():
    assert check_choice("f", "how", "b", ("a", "b")) == "b"
    assert check_choice("f", "how", "a", {"a": 1}) == "a"


@pytest.mark.parametrize(
    ("valid", "words"),
    [
        (["left"], "'left'"),
        (["left", "right"], "'left' or 'right'"),
        (["left", "right", "up"], "'left', 'right' or 'up'"),
    ],
)
@pytest.mark.parametrize("value", ["zzz", 3, None, ("left",), ["left"], ""])
def test_another_choice_is_told_what_there_is(valid, words, value):
    with refused(f"The 'how' parameter of f must be {words}. Got {value!r} instead."):
        check_choice("f", "how", value, valid)


@pytest.mark.parametrize("value", ["aVf", "AVF", "aVFF"])
def test_the_nearest_choice_is_named_whatever_its_case(value):
    with pytest.raises(ValueError, match=f"Got '{value}' .* Did you mean 'aVF'[?]$"):
        check_choice("f", "lead", value, ["II", "aVF", "V1"])


def test_choices_are_returned_in_their_order():
    assert check_choices("f", "names", iter(["b", "a", "b"]), "ab") == ("b", "a", "b")


def test_a_wrong_choice_among_several_is_named_by_its_place():
    with refused(
        "The 'names[1]' parameter of f must be 'left' or 'right'. Got 'lift' instead. "
        "Did you mean 'left'?"
    ):
        check_choices("f", "names", ["right", "lift"], ["left", "right"])


NO_NAMES = "must be a sequence of one name or more. Got"


@pytest.mark.parametrize("value", ["II", "", [], (), None, 3])
def test_names_are_several(value):
    with refused(f"The 'names' parameter of f {NO_NAMES} {value!r} instead."):
        check_choices("f", "names", value, ["II"])
    with refused(f"The 'lead_names' parameter of f {NO_NAMES} {value!r} instead."):
        check_lead_names("f", value)


def test_lead_names_are_as_many_as_leads():
    assert check_lead_names("f", ["II", "II"]) == ("II", "II")
    assert check_lead_names("f", np.array(["II", "V1"]), 2) == ("II", "V1")
    with refused(
        "The 'lead_names' parameter of f must be one name for each of the 3 leads of "
        "the record. Got ['II', 'V1'] instead."
    ):
        check_lead_names("f", ["II", "V1"], 3)
    with pytest.raises(ValueError, match=r"each of the 1 leads of X\[4\]\. Got"):
        check_lead_names("f", ["II", "V1"], 1, "X[4]")


# ---------------------------------------------------------------------------- arrays


def test_numbers_keep_their_dtype_and_are_not_copied():
    for dtype in (np.float16, np.float64, np.int16, np.uint8, bool):
        array = np.ones((2, 3), dtype=dtype)
        assert as_numbers("f", "X", array) is array
    assert as_numbers("f", "X", [[1, 2]]).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ("words", "str of dtype <U5"),
        (None, "NoneType of dtype object"),
        (np.array([1j]), "ndarray of dtype complex128"),
        ([[1, 2], [3]], "parts of different shapes"),
    ],
)
def test_what_holds_no_numbers_is_refused(value, got):
    wanted = "must be an array of finite numbers"
    with refused(f"The 'X' parameter of f {wanted}. Got {got} instead."):
        as_numbers("f", "X", value)


def test_what_is_not_finite_is_counted():
    wanted = "must be an array of finite numbers. Got 2 NaN or infinite values instead."
    with refused(f"The 'X' parameter of f {wanted} Repair them, or leave them out."):
        as_numbers("f", "X", [1, np.nan, -np.inf])
    with refused(f"The 'X' parameter of f {wanted} Fill them in."):
        as_numbers("f", "X", [1, np.nan, -np.inf], advice="Fill them in.")


def test_what_a_function_returns_is_checked_as_such():
    with pytest.raises(ValueError, match="must return an array of finite numbers"):
        as_numbers("f", "predict", [np.nan], verb="return")
    with pytest.raises(ValueError, match=r"must return an array of shape \(n, k\), "):
        as_numbers("f", "predict", [1], "(n, k)", verb="return")


@pytest.mark.parametrize(
    ("shapes", "good", "bad"),
    [
        (["(n_times,)"], [(1,)], [(), (0,), (1, 1)]),
        (["(n_leads, n_times)"], [(1, 2)], [(2,), (2, 0), (0, 2), (1, 1, 1)]),
        (["(n_times,)", "(n, n_leads, n_times)"], [(2,), (1, 2, 3)], [(1, 2)]),
    ],
)
def test_a_shape_has_one_of_several_numbers_of_dimensions(shapes, good, bad):
    for shape in good:
        check_shape("f", "X", shape, *shapes)
        as_numbers("f", "X", np.ones(shape), *shapes)
    wanted = f"must be an array of shape {' or '.join(shapes)}, none of them 0"
    for shape in bad:
        message = f"The 'X' parameter of f {wanted}. Got shape {shape} instead."
        with refused(message):
            check_shape("f", "X", shape, *shapes)
        with refused(f"{message} Pass X[0]."):
            as_numbers("f", "X", np.ones(shape), *shapes, advice="Pass X[0].")


def test_an_array_may_hold_anything():
    assert as_array("f", "y", ["a"], "be labels").tolist() == ["a"]
    with refused(
        "The 'y' parameter of f must be labels. Got parts of different shapes instead."
    ):
        as_array("f", "y", [[1, 2], [3]], "be labels")
