import pytest

from mmseg_ext.reporting.formatting import (
    duration,
    first_names,
    interval_text,
    p_text,
    quantity,
    range_text,
    value_text,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (value_text("dsc", 0.12345), "0.123"),
        (value_text("hd95", 12.345), "12.35"),
        (value_text("dsc", NAN), "–"),
        (interval_text("dsc", 0.1, 0.25), "[0.100, 0.250]"),
        (interval_text("dsc", NAN, NAN), "no interval"),
        (p_text(0.0004), "< 0.001"),
        (p_text(0.04), "0.040"),
        (range_text([3, 5, 4]), "3–5"),
        (range_text([4, 4]), "4"),
        (quantity(415_158_995), "415 M"),
        (quantity(138.8e9), "139 G"),
        (quantity(NAN), "–"),
        (first_names(["a", "b"], 2), "a, b"),
        (first_names(["a", "b", "c"], 2), "a and 2 more"),
        (first_names([], 2), ""),
        (duration(0.25), "0.25 s"),
        (duration(59.7), "1 min 00 s"),
        (duration(185), "3 min 05 s"),
        (duration(7805), "2 h 10 min"),
    ],
)
def test_text(text, expected):
    assert text == expected
