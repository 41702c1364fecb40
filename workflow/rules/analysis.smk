"""Rows to means with intervals, tests, ranks, verdicts."""

TABLES = "cases scores pooled comparisons ranks status cost claims controls noise sensitivity flags".split()


rule plan:
    output:
        plan=f"{PATHS.results}/plans/{{suite}}.json",
    log:
        log_path("plan", "{suite}"),
    benchmark:
        benchmark_path("plan", "{suite}")
    # First of all jobs: the page of a broken suite needs it too.
    priority: 100
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        data=PATHS.data,
        results=PATHS.results,
        suite=SUITE.model_dump_json(exclude_none=True),
        run_keys=list(PLAN.keys.values()),
    message:
        "Write down what suite {wildcards.suite} is made of"
    shell:
        "python -m mmseg_ext plan --suite {params.suite:q} --data {params.data} --results {params.results} "
        "> {log} 2>&1"


rule analyse:
    input:
        plan=rules.plan.output.plan,
        cases=run_files("cases.csv"),
        runs=run_files("run.json"),
        costs=run_files("cost.json"),
        noise=[f"{PATHS.run(run)}/noise.csv" for run in PLAN.noise_runs],
        controls=[f"{PATHS.controls(task)}/cases.csv" for task in PLAN.tasks],
    output:
        expand(f"{PATHS.results}/tables/{{{{suite}}}}/{{table}}.csv", table=TABLES),
    log:
        log_path("analyse", "{suite}"),
    benchmark:
        benchmark_path("analyse", "{suite}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        results=PATHS.results,
        code=stage_code("analysis", "analyse.py"),
    message:
        "Compute intervals, tests, ranks and verdicts of suite {wildcards.suite}"
    shell:
        "python -m mmseg_ext analyse {wildcards.suite} --results {params.results} > {log} 2>&1"
