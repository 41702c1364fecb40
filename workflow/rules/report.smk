"""Tables and figures for people, and the page."""


rule report:
    input:
        plan=rules.plan.output.plan,
        tables=rules.analyse.output,
        curves=run_files("curves.csv"),
        quality=[f"{PATHS.checks(name)}/quality.json" for name in PLAN.datasets],
        maps=[str(need.done) for need in PLAN.stage_results.values() if need.stage == "superpixels"],
        compared=[
            f"{PATHS.task_checks(name)}/quality.json" for name, task in PLAN.tasks.items() if len(task.datasets) > 1
        ],
    output:
        page=report(
            f"{PATHS.results}/report/{{suite}}.html",
            caption="../report/page.rst",
            category="Page",
        ),
        figures=report(
            directory(f"{PATHS.results}/figures/{{suite}}"),
            patterns=["{name}.png"],
            caption="../report/figures.rst",
            category="Figures",
        ),
        markdown=f"{PATHS.results}/tables/{{suite}}/scores.md",
        latex=f"{PATHS.results}/tables/{{suite}}/scores.tex",
    log:
        log_path("report", "{suite}"),
    benchmark:
        benchmark_path("report", "{suite}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        results=PATHS.results,
        code=stage_code("reporting", "report.py"),
        templates=TEMPLATES,
    message:
        "Draw tables, figures and the page of suite {wildcards.suite}"
    shell:
        "python -m mmseg_ext report {wildcards.suite} --results {params.results} > {log} 2>&1"


rule front_page:
    input:
        page=f"{PATHS.results}/report/{SUITE.suite}.html",
    output:
        index=f"{PATHS.results}/report/index.html",
    log:
        log_path("front_page", SUITE.suite),
    benchmark:
        benchmark_path("front_page", SUITE.suite)
    localrule: True
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    message:
        "Put the page of suite {SUITE.suite} in front"
    shell:
        "cp {input.page} {output.index} 2> {log}"


# A broken cell must not hide the others: the page then shows what there is, and the reason for what is not.
onerror:
    shell(
        f"python -m mmseg_ext analyse {SUITE.suite} --results {PATHS.results} && "
        f"python -m mmseg_ext report {SUITE.suite} --results {PATHS.results} --front"
    )
