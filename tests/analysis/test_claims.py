from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.case_frames import frame_of
from support.fake_plan import FakeSuite, plan_of
from support.fake_results import case_row

from mmseg_ext.analysis.claims import claim_table, published_value
from mmseg_ext.analysis.collect import DONE, FAILED
from mmseg_ext.analysis.plan_file import PlanFile
from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.claim import BetterThan, ClaimFile, PublishedValue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import write_text
from mmseg_ext.suite.loading import load
from mmseg_ext.suite.matrix import RunId

CONFIGS = Path(__file__).parents[2] / "configs"
TEST = {
    "better": "{{kind: better_than, {common}, method: {method}, than: {than}, measure: dsc, margin: {margin}}}",
    "reach": "{{kind: at_least, {common}, method: {method}, measure: dsc, margin: {margin}, published: {published}}}",
}
COMMON = "track: supervised, task: phantom_lesion, condition: full, protocol: strict"
PUBLISHED = "{table: Table I, dataset: Lesions, method: Ours, metric: DSC}"
CSV = "paper,table,dataset,method,metric,class_or_mean,value,unit,source\nP,Table I,Lesions,Ours,DSC,mean,80.0,%,url\n"


def configs(root, kind, method="unet_tiny", than="segformer_b0", margin=0.0, published=PUBLISHED):
    test = TEST[kind].format(common=COMMON, method=method, than=than, margin=margin, published=published)
    claim = f"claims_of: paper\npaper: {{title: P}}\nclaims: [{{claim: one, sentence: S, source: T, test: {test}}}]\n"
    write_text(root / "claims" / "paper.yaml", claim)
    write_text(root / "published" / "paper.csv", CSV)
    return root


def verdict(root, dsc, status=None, **options):
    """Verdict and reason on one claim, given scores (patients, seeds) by method."""
    plan = PlanFile.model_validate(plan_of(FakeSuite(root)))
    frame = frame_of(dsc, task="phantom_lesion")
    runs = frame[["track", "task", "method", "condition", "seed"]].drop_duplicates()
    runs = runs.assign(run="supervised/phantom_lesion/unet_tiny/full/seed_0", status=DONE, reason="")
    row = claim_table(configs(root, **options), plan, frame, runs if status is None else status).iloc[0]
    return row["verdict"], row["reason"]


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.6, 0.8, (30, 3))
    return {"unet_tiny": base + rng.normal(0.05, 0.01, base.shape), "segformer_b0": base}


@pytest.mark.parametrize(("margin", "expected"), [(0.0, "reproduced"), (0.05, "inconclusive"), (0.1, "not reproduced")])
def test_lead_against_margin(tmp_path, scores, margin, expected):
    assert verdict(tmp_path, scores, kind="better", margin=margin)[0] == expected


@pytest.mark.parametrize(("shift", "expected"), [(0.0, "inconclusive"), (0.1, "reproduced"), (-0.2, "not reproduced")])
def test_value_against_published(tmp_path, shift, expected):
    rng = np.random.default_rng(1)
    dsc = {"unet_tiny": 0.78 + shift + rng.normal(0, 0.03, (20, 3))}
    dsc["unet_tiny"] += 0.78 + shift - dsc["unet_tiny"].mean()
    assert verdict(tmp_path, dsc, kind="reach", margin=0.02)[0] == expected


def test_one_seed_or_few_patients_are_at_most_inconclusive(tmp_path, scores):
    one_seed = {name: values[:, :1] for name, values in scores.items()}
    assert verdict(tmp_path, one_seed, kind="better") == ("inconclusive", "1 seed(s); a verdict needs 3")
    few = {name: values[:9] for name, values in scores.items()}
    assert verdict(tmp_path, few, kind="better") == ("inconclusive", "9 patient(s); a verdict needs 10")


def test_not_run_says_why(tmp_path, scores):
    absent = verdict(tmp_path, scores, kind="better", method="hiperformer")
    assert absent == ("not run", "hiperformer is not in this suite")
    run = "supervised/phantom_lesion/unet_tiny/full/seed_0"
    failed = pd.DataFrame(
        [
            [run, "supervised", "phantom_lesion", "unet_tiny", "full", 0, FAILED, "train: loss is NaN"],
            [run, "supervised", "phantom_lesion", "segformer_b0", "full", 0, DONE, ""],
        ],
        columns=["run", "track", "task", "method", "condition", "seed", "status", "reason"],
    )
    assert verdict(tmp_path, scores, status=failed, kind="better") == ("not run", f"{run}: failed (train: loss is NaN)")


def test_smaller_distance_reproduces(tmp_path, scores):
    plan = PlanFile.model_validate(plan_of(FakeSuite(tmp_path)))
    frame = frame_of(scores, task="phantom_lesion")
    frame["hd95"] = 10 * (1 - frame["dsc"])
    runs = frame[["track", "task", "method", "condition", "seed"]].drop_duplicates().assign(status=DONE, reason="")
    folder = configs(tmp_path, "better", margin=0.1)
    path = folder / "claims" / "paper.yaml"
    write_text(path, path.read_text().replace("measure: dsc", "measure: hd95"))
    row = claim_table(folder, plan, frame, runs).iloc[0]
    assert row["verdict"] == "reproduced"
    assert row["value"] < row["threshold"] == -0.1


def test_wrong_reference_to_a_published_number(tmp_path, scores):
    with pytest.raises(InputError, match=r"published\.metric.*DCS.*Did you mean 'DSC'"):
        verdict(tmp_path, scores, kind="reach", published=PUBLISHED.replace("DSC", "DCS"))


def test_committed_claims_refer_to_published_numbers():
    for file in sorted((CONFIGS / "claims").glob("*.yaml")):
        for claim in load(ClaimFile, file, "claims_of").claims:
            if claim.test.kind == "at_least":
                value = published_value(CONFIGS / "published" / f"{file.stem}.csv", claim.test.published, file)
                assert f"{100 * value:.2f}" in claim.sentence or f"{value:.3f}" in claim.sentence


def test_committed_claims_name_what_there_is():
    known = Catalogue(CONFIGS)
    for file in sorted((CONFIGS / "claims").glob("*.yaml")):
        for claim in load(ClaimFile, file, "claims_of").claims:
            test = claim.test
            assert test.condition in known.track(test.track, file, claim.claim).conditions
            known.task(test.task, file, claim.claim)
            known.protocol(test.protocol, file, claim.claim)
            for method in [test.method, *([test.than] if isinstance(test, BetterThan) else [])]:
                known.method(test.track, method, file, claim.claim)


def test_a_lead_needs_a_protocol_the_test_set_did_not_choose(tmp_path, scores):
    plan = plan_of(FakeSuite(tmp_path))
    plan["protocols"]["strict"] |= {"selection": "best_test", "paper": "paper"}
    frame = frame_of(scores, task="phantom_lesion")
    runs = frame[["track", "task", "method", "condition", "seed"]].drop_duplicates().assign(run="r", status=DONE)
    table = claim_table(configs(tmp_path, "better"), PlanFile.model_validate(plan), frame, runs)
    assert (table["verdict"].item(), table["reason"].item()) == (
        "not run",
        "the test set chose the checkpoints of protocol strict, so it ranks nothing",
    )


def test_published_value_is_a_fraction(tmp_path):
    write_text(tmp_path / "p.csv", CSV)
    wanted = PublishedValue(table="Table I", dataset="Lesions", method="Ours", metric="DSC")
    assert published_value(tmp_path / "p.csv", wanted, tmp_path) == 0.8


@pytest.mark.parametrize(("margin", "expected"), [(0.005, "reproduced"), (0.9, "not reproduced")])
def test_a_lead_on_unseen_classes_is_one_in_pooled_iou(tmp_path, margin, expected):
    plan = plan_of(FakeSuite(tmp_path))
    plan["tasks"]["phantom_abdomen"]["unseen"] = ["spleen"]
    rng = np.random.default_rng(0)
    rows = []
    for method, found in (("unet_tiny", 40), ("segformer_b0", 20)):
        for seed in range(3):
            for case in range(12):
                run = RunId("supervised", "phantom_abdomen", method, "full", seed)
                both = found + int(rng.integers(0, 5))
                counts = {"intersection": both, "prediction": both, "truth": 50}
                # Worse on what is seen, and in IoU of each image, which decides nothing here.
                seen = case_row(run, f"c{case}", f"p{case}", 1, iou=1 - found / 100, class_name="liver")
                rows += [seen, case_row(run, f"c{case}", f"p{case}", 3, iou=0.5, class_name="spleen", **counts)]
    frame = pd.DataFrame(rows)
    runs = frame[["track", "task", "method", "condition", "seed"]].drop_duplicates().assign(status=DONE, reason="")
    folder = configs(tmp_path, "better", margin=margin)
    path = folder / "claims" / "paper.yaml"
    text = path.read_text().replace("measure: dsc", "measure: iou, classes: unseen")
    write_text(path, text.replace("task: phantom_lesion", "task: phantom_abdomen"))
    row = claim_table(folder, PlanFile.model_validate(plan), frame, runs).iloc[0]
    assert row["verdict"] == expected
    assert row["quantity"] == "iou of unseen classes of unet_tiny minus segformer_b0"
    assert row["value"] == pytest.approx(0.4, abs=0.03)


def test_unseen_classes_have_no_other_measure_in_claims(tmp_path):
    file = configs(tmp_path, "better") / "claims" / "paper.yaml"
    write_text(file, file.read_text().replace("measure: dsc", "measure: dsc, classes: unseen"))
    with pytest.raises(InputError, match="measure `iou` for a claim about unseen classes, found 'dsc'"):
        load(ClaimFile, file, "claims_of")
