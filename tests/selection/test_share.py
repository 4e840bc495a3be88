import numpy as np
import pytest
from hypothesis import given

from sk_erts.selection._share import all_but_lowest, check_share
from tests.strategies import scores, shares


@given(of=scores(), share=shares)
def test_share_is_rounded_down(of, share):
    kept = all_but_lowest(of.focus, share, of.y, class_rescue=False)
    assert (~kept).sum() == int(share * len(of))


def test_a_share_that_is_a_whole_number_of_records_is_not_one_less():
    assert 0.29 * 100 < 29
    kept = all_but_lowest(np.arange(100), 0.29, np.zeros(100, int), class_rescue=False)
    assert np.flatnonzero(kept).tolist() == list(range(29, 100))


@given(of=scores(), share=shares)
def test_rescue_gives_each_lost_class_its_best_and_changes_nothing_else(of, share):
    plain = all_but_lowest(of.focus, share, of.y, class_rescue=False)
    rescued = all_but_lowest(of.focus, share, of.y, class_rescue=True)
    lost = set(of.y.tolist()) - set(of.y[plain].tolist())
    back = np.flatnonzero(plain != rescued)
    assert rescued[back].all()
    assert sorted(of.y[back].tolist()) == sorted(lost)
    for record in back:
        assert of.focus[record] == of.focus[of.y == of.y[record]].max()


@pytest.mark.parametrize("value", [-0.1, 1, np.nan, "auto", None])
def test_what_is_no_share_is_refused(value):
    with pytest.raises(ValueError, match=r"'part' parameter of Any must be a number"):
        check_share(value, "Any", "part")


def test_what_else_it_may_be_is_told():
    with pytest.raises(ValueError, match=r"in \[0, 1\) or 'all'\. Got 2 instead\."):
        check_share(2, "Any", also=" or 'all'")
