"""Metadata divides records."""

import numpy as np
import pandas as pd
import pytest

from sk_erts.report._subgroups import as_columns, subgroups


def names_of(**columns):
    table = as_columns(columns, len(next(iter(columns.values()))))
    return {part.name: part.rows.tolist() for part in subgroups(table)}


def test_ages_are_binned_and_what_is_missing_is_named():
    found = names_of(Age=[39, 40, 59.5, 79, 80, 300, np.nan, 5])
    assert found == {
        "under 40": [0, 7],
        "40 to 59": [1, 2],
        "60 to 79": [3],
        "80 and over": [4, 5],
        "unknown": [6],
    }


def test_many_numbers_are_cut_into_quarters():
    weight = np.arange(100.0)
    found = names_of(weight=weight)
    assert [len(rows) for rows in found.values()] == [25] * 4
    assert found["0 to 24"] == list(range(25))


def test_quarters_are_named_by_what_is_in_them():
    found = names_of(site=[0] * 20 + [1] * 20 + [2] * 10 + list(range(3, 13)))
    assert {name: len(rows) for name, rows in found.items()} == {
        "0 to 1": 40,  # a quarter ends at 0, where it begins
        "2": 10,
        "3 to 12": 10,
    }


def test_few_numbers_stay_as_they_are():
    assert names_of(sex=[1, 0, 1, 0]) == {"0": [1, 3], "1": [0, 2]}


def test_flags_and_words_are_groups():
    assert names_of(paced=[True, False, True]) == {"True": [0, 2], "False": [1]}
    found = names_of(site=["b", None, "a", "b"])
    assert found == {"b": [0, 3], "a": [2], "unknown": [1]}


def test_many_words_are_put_together():
    words = [f"device {k}" for k in range(20) for _ in range(20 - k)]
    found = names_of(device=words)
    assert list(found)[:2] == ["device 0", "device 1"]
    assert len(found) == 8
    assert len(found["13 others"]) == sum(20 - k for k in range(7, 20))


def test_every_record_is_in_one_group_of_each_column():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"age": rng.normal(60, 20, 50), "sex": rng.choice(["f", "m"], 50)},
        index=rng.permutation(50),  # by place, not by label
    )
    found = subgroups(as_columns(table, 50))
    for column in ("age", "sex"):
        rows = np.concatenate([part.rows for part in found if part.column == column])
        assert sorted(rows) == list(range(50))
    women = next(part for part in found if part.name == "f")
    assert women.rows.tolist() == np.flatnonzero(table["sex"] == "f").tolist()


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"age": [1, 2]}, r"'metadata\[age\]' .* each of the 3 .* 2 values"),
        ({"age": 5}, "Got 5 instead"),
        (pd.DataFrame({"age": [1]}), "one row for each of the 3 records. Got 1 rows"),
        ([1, 2, 3], "data frame or a dictionary of columns. Got list"),
    ],
)
def test_metadata_of_another_shape_is_refused(metadata, said):
    with pytest.raises(ValueError, match=said):
        as_columns(metadata, 3)
