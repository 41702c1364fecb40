import numpy as np
import pandas as pd
import pytest
from support.fake_results import case_row

from mmseg_ext.analysis.measures import macro_cases, select
from mmseg_ext.analysis.scores import score_table
from mmseg_ext.suite.matrix import RunId

RUN = RunId("supervised", "livers", "unet", "full", 0)


def table():
    """Two cases, two classes; the second class is in no mask of case b."""
    return pd.DataFrame(
        [
            case_row(RUN, "a", "p", 1, dsc=0.8),
            case_row(RUN, "a", "p", 2, dsc=0.0, status="missed", hd95=50.0),
            case_row(RUN, "b", "q", 1, dsc=0.6),
            case_row(RUN, "b", "q", 2, status="both_empty", dsc=np.nan, hd95=np.nan),
        ]
    )


def test_macro_is_over_defined_classes_then_over_cases():
    scores = score_table(table(), 200)
    macro = select(scores, class_name="macro", measure="dsc").iloc[0]
    assert macro["mean"] == pytest.approx((0.4 + 0.6) / 2)
    assert (macro["n_cases"], macro["n_patients"], macro["n_seeds"]) == (2, 2, 1)
    assert macro["ci_kind"] == "patients"
    assert (macro["n_ok"], macro["n_missed"], macro["n_both_empty"], macro["n_spurious"]) == (2, 1, 1, 0)


def test_a_miss_counts_and_an_empty_pair_does_not():
    scores = score_table(table(), 200)
    second = select(scores, class_name="class_2")
    dsc, hd95 = select(second, measure="dsc").iloc[0], select(second, measure="hd95").iloc[0]
    assert (dsc["mean"], hd95["mean"], dsc["n_cases"]) == (0.0, 50.0, 1)
    assert np.isnan(dsc["ci_low"])
    assert (hd95["unit"], dsc["unit"]) == ("mm", "")


def test_a_case_without_any_defined_class_stays_undefined():
    frame = table().assign(dsc=np.nan)
    assert macro_cases(frame)["dsc"].isna().all()
    row = select(score_table(frame, 200), class_name="macro", measure="dsc").iloc[0]
    assert np.isnan(row["mean"])
    assert row["n_cases"] == 0
