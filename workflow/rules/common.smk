"""Read the suite, check every name, and name files. First of all rule files."""

import json
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError

from mmseg_ext.data.fetch import local_state
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.components import PACKAGE, hash_sources
from mmseg_ext.suite.data_key import data_key, source_key
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_tree
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.plan import Plan, read_suite
from mmseg_ext.suite.run_key import condition_key
from mmseg_ext.suite.stages.pretraining import concerned

try:
    SUITE_FILE = str(workflow.configfiles[0])
    SUITE, SETTINGS = read_suite(dict(config), SUITE_FILE)
    PATHS = SETTINGS.paths
    CATALOGUE = catalogue(Path(workflow.basedir) / "configs")
    PLAN = Plan(SUITE, CATALOGUE, PATHS, SUITE_FILE)
    CARDS = {name: CATALOGUE.dataset(name, SUITE_FILE, "tasks") for name in PLAN.datasets}
    # Place, names, sizes and times of data that lie on this machine, so that a change of them is noticed.
    LOCAL = {name: local_state(card, SETTINGS.local_data, PATHS.raw(name)) for name, card in CARDS.items()}
except InputError as error:
    raise WorkflowError(str(error))

TEMPLATES = hash_tree(PACKAGE, sorted((PACKAGE / "reporting" / "templates").iterdir()))[:16]
VARIANTS = sorted({CATALOGUE.protocol(name, SUITE_FILE, "protocols").variant for name in SUITE.protocols})
# Where `fetch` finds unpacked data or archives on this machine.
SOURCES = {"--mirror": SETTINGS.mirror, "--local-data": SETTINGS.local_data}
SOURCE_OPTIONS = " ".join(f"{option} {path}" for option, path in SOURCES.items() if path is not None)
RUN = f"{PATHS.results}/runs/{{track}}/{{task}}/{{method}}/{{condition}}/seed_{{seed}}"
RUN_LOG = "{track}/{task}/{method}/{condition}/seed_{seed}"


wildcard_constraints:
    dataset=r"[a-z][a-z0-9_]*",
    track=r"[a-z][a-z0-9_]*",
    task=r"[a-z][a-z0-9_]*",
    method=r"[a-z][a-z0-9_]*",
    condition=r"[a-z][a-z0-9_]*",
    seed=r"\d+",
    suite=r"[a-z][a-z0-9_]*",
    recipe=r"[a-z][a-z0-9_]*",
    source=r"[a-z][a-z0-9_]*",


def log_path(stage, name):
    return f"{PATHS.results}/logs/{stage}/{name}.log"


def benchmark_path(stage, name):
    return f"{PATHS.results}/benchmarks/{stage}/{name}.tsv"


def stage_code(*parts):
    """Hash of a stage's source: a change of what it does makes its results out of date."""
    return hash_sources([PACKAGE.joinpath(*parts)])[:16]


def card_of(wildcards):
    if wildcards.dataset not in CARDS:
        raise WorkflowError(f"data set {wildcards.dataset!r} is not part of suite {SUITE.suite!r} ({SUITE_FILE})")
    return CARDS[wildcards.dataset]


def task_of(wildcards):
    if wildcards.task not in PLAN.tasks:
        raise WorkflowError(f"task {wildcards.task!r} is not part of suite {SUITE.suite!r} ({SUITE_FILE})")
    return PLAN.tasks[wildcards.task]


def condition_of(wildcards):
    return CATALOGUE.track(wildcards.track, "command line", "track").conditions[wildcards.condition]


def planned(wildcards):
    run = RunId(wildcards.track, wildcards.task, wildcards.method, wildcards.condition, int(wildcards.seed))
    if run not in PLAN.runs:
        raise WorkflowError(f"{run} is not part of suite {SUITE.suite!r} ({SUITE_FILE})")
    return PLAN.runs[run]


def stage_result(pattern):
    """How to find, from a rule's wildcards, the result of an earlier stage whose folder has this pattern."""

    def find(wildcards):
        folder = pattern.format(**wildcards)
        if folder not in PLAN.stage_results:
            raise WorkflowError(f"{folder} is not needed by any run of suite {SUITE.suite!r} ({SUITE_FILE})")
        return PLAN.stage_results[folder]

    return find


def stage_inputs(pattern):
    """Prepared data and earlier results that a stage starts from."""
    find = stage_result(pattern)

    def files(wildcards):
        need = find(wildcards)
        return [f"{PATHS.prepared(name)}/card.json" for name in need.datasets] + [str(each.done) for each in need.needs]

    return files


def stage_recipe(pattern):
    """A stage's recipe as JSON: a parameter, so that a changed recipe makes the result out of date."""
    find = stage_result(pattern)
    return lambda wildcards: json.dumps(find(wildcards).recipe, sort_keys=True)


def pretraining_option(wildcards):
    """What the suite pre-trains on, for the runs it makes a difference to."""
    run = planned(wildcards)
    asked = concerned(run, CATALOGUE)
    return f"--pretraining {shlex.quote(asked.model_dump_json(exclude_none=True))}" if asked else ""


def prepared_cards(wildcards):
    """Prepared data sets a task needs."""
    return [f"{PATHS.prepared(name)}/card.json" for name in task_of(wildcards).datasets]


def test_cases(wildcards):
    """A list with the test cases of a task; they are the same for all its runs."""
    task_of(wildcards)
    return next(str(PATHS.subset(run)) for run in PLAN.runs if run.task == wildcards.task)


def run_files(name):
    return [f"{PATHS.run(run)}/{name}" for run in PLAN.runs]


def noisy_labels(wildcards):
    """Folder of the labels that stand in for the true ones, by data set."""
    return PLAN.noisy_labels(planned(wildcards).id)
