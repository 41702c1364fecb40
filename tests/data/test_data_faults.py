"""The page on faulty data says what happens."""

import pytest
from support.data_faults import FAULTS, INTRODUCTION, PAGE, rows


@pytest.mark.parametrize("name", FAULTS)
def test_the_page_says_what_happens(name, tmp_path):
    (found,) = rows([name], tmp_path)
    assert found in PAGE.read_text().splitlines(), "run `PYTHONPATH=tests python -m support.data_faults`"
    assert "Traceback" not in found


def test_the_page_has_no_other_rows():
    text = PAGE.read_text()
    assert text.startswith(INTRODUCTION)
    assert len(text.removeprefix(INTRODUCTION).splitlines()) == len(FAULTS)
