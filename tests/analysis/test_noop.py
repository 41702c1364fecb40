import pandas as pd

from mmseg_ext.analysis.noop import same_predictions


def variants(*rows):
    return pd.DataFrame(rows, columns=["run", "task", "variant", "predictions_sha256"])


def test_runs_that_agree_are_found():
    table = variants(
        ("t/x/b/full/seed_0", "x", "last_plain", "1"),
        ("t/x/a/full/seed_0", "x", "last_plain", "1"),
        ("t/x/c/full/seed_0", "x", "last_plain", "2"),
    )
    assert same_predictions(table) == [("last_plain", ["t/x/a/full/seed_0", "t/x/b/full/seed_0"])]


def test_variants_of_one_run_and_other_tasks_may_agree():
    table = variants(
        ("t/x/a/full/seed_0", "x", "last_plain", "1"),
        ("t/x/a/full/seed_0", "x", "best_val_plain", "1"),
        ("t/y/a/full/seed_0", "y", "last_plain", "1"),
    )
    assert same_predictions(table) == []
