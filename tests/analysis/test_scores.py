import numpy as np
import pandas as pd
import pytest
from support.fake_results import case_row

from mmseg_ext.analysis.comparisons import comparison_table
from mmseg_ext.analysis.measures import UNSEEN_IOU, macro_cases, select
from mmseg_ext.analysis.ranks import rank_table
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


def test_unseen_classes_have_a_score_of_their_own_where_a_task_has_some():
    other = RunId("supervised", "kidneys", "unet", "full", 0)
    rows = [
        case_row(RUN, "a", "p", 1, iou=0.9),
        case_row(RUN, "a", "p", 2, iou=0.2),
        case_row(RUN, "a", "p", 3, iou=0.4),
        case_row(RUN, "b", "q", 1, iou=0.7),
        case_row(RUN, "b", "q", 2, iou=np.nan, status="both_empty"),
        case_row(RUN, "b", "q", 3, iou=np.nan, status="both_empty"),
        case_row(other, "a", "p", 1),
    ]
    unseen = {"livers": ["class_2", "class_3"], "kidneys": []}
    macro = macro_cases(pd.DataFrame(rows), unseen)
    np.testing.assert_allclose(select(macro, task="livers")[UNSEEN_IOU], [0.3, np.nan])
    assert select(macro, task="kidneys")[UNSEEN_IOU].isna().all()
    found = select(score_table(pd.DataFrame(rows), 200, unseen), measure=UNSEEN_IOU)
    assert list(found["task"]) == ["livers"]
    assert (found["mean"].item(), found["n_cases"].item()) == (pytest.approx(0.3), 1)
    assert UNSEEN_IOU not in macro_cases(pd.DataFrame(rows), {"kidneys": []})


def test_methods_are_compared_and_ranked_by_unseen_classes_too():
    rng = np.random.default_rng(3)
    rows = []
    for method, seen, unseen in (("a", 0.6, 0.1), ("b", 0.5, 0.3)):
        for seed in (0, 1):
            for case in range(20):
                run = RunId("zero_shot", "scenes", method, "mini", seed)
                for class_id, mean in ((1, seen), (2, unseen)):
                    iou = mean + rng.uniform(0, 0.1)
                    rows.append(case_row(run, f"c{case}", f"p{case}", class_id, iou=iou, dsc=2 * iou / (1 + iou)))
    macro = macro_cases(pd.DataFrame(rows), {"scenes": ["class_2"]})
    comparisons = comparison_table(macro, 300)
    assert list(comparisons["measure"]) == ["dsc", "nsd", UNSEEN_IOU]
    found = select(comparisons, measure=UNSEEN_IOU).iloc[0]
    assert found["difference"] == pytest.approx(-0.2, abs=0.02)
    assert found["separable"]
    first = select(rank_table(macro, comparisons, 300), rank=1, measure=UNSEEN_IOU)
    assert dict(zip(first["method"], first["frequency"], strict=True)) == {"a": 0, "b": 1}
