import pytest

from sk_erts.datasets import STANDARD_LEADS
from sk_erts.plotting._layouts import Cell, lead_rows


@pytest.mark.parametrize("n_times", [4, 999, 1000, 5000])
@pytest.mark.parametrize("layout", ["12x1", "3x4", "6x2"])
def test_every_row_covers_the_record_once(layout, n_times):
    for row in lead_rows(layout, STANDARD_LEADS, n_times):
        ends = [0, *(cell.stop for cell in row)]
        assert [cell.start for cell in row] == ends[:-1]
        assert ends[-1] == n_times
        lengths = [cell.stop - cell.start for cell in row]
        assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("layout", ["12x1", "3x4", "6x2"])
def test_every_lead_is_shown(layout):
    rows = lead_rows(layout, STANDARD_LEADS, 1000)
    leads = [cell.lead for row in rows for cell in row]
    rhythm = [1] if layout == "3x4" else []
    assert sorted(leads) == sorted([*range(12), *rhythm])


def test_leads_are_found_by_name_in_any_order_and_case():
    names = [name.upper() for name in reversed(STANDARD_LEADS)]
    rows = lead_rows("3x4", names, 400)
    assert [names[cell.lead] for cell in rows[0]] == ["I", "AVR", "V1", "V4"]
    assert rows[3] == [Cell(10, 0, 400)]  # II


def test_more_than_twelve_leads_make_a_grid_if_the_twelve_are_there():
    rows = lead_rows("6x2", ["X", *STANDARD_LEADS], 10)
    assert [row[0].lead for row in rows] == [1, 2, 3, 4, 5, 6]


def test_too_short_a_record_for_four_columns():
    with pytest.raises(ValueError, match="at least 4 time steps.*Got 3"):
        lead_rows("3x4", STANDARD_LEADS, 3)
