"""Predictions to one tidy row per protocol, case and class."""


rule evaluate:
    input:
        run=rules.train.output.run,
        predictions=rules.train.output.predictions,
        cases=rules.subset.output.cases,
        cards=prepared_cards,
    output:
        cases=f"{RUN}/cases.csv",
    log:
        log_path("evaluate", RUN_LOG),
    benchmark:
        benchmark_path("evaluate", RUN_LOG)
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        run=lambda wildcards: planned(wildcards).id,
        data=PATHS.data,
        results=PATHS.results,
        protocols=" ".join(f"--protocol {name}" for name in SUITE.protocols),
        tolerance=lambda wildcards: task_of(wildcards).nsd_tolerance,
        code=stage_code("evaluation", "evaluate.py"),
    message:
        "Score {wildcards.method} on {wildcards.task} ({wildcards.condition}, seed {wildcards.seed})"
    shell:
        "python -m mmseg_ext evaluate {params.run} {params.protocols} --cases {input.cases} --data {params.data} "
        "--results {params.results} --workers {threads} > {log} 2>&1"


rule measure_noise:
    input:
        run=rules.train.output.run,
        predictions=rules.train.output.predictions,
        labels=lambda wildcards: [f"{folder}/record.json" for folder in noisy_labels(wildcards).values()],
        cases=rules.subset.output.cases,
        cards=prepared_cards,
    output:
        table=f"{RUN}/noise.csv",
    log:
        log_path("measure_noise", RUN_LOG),
    benchmark:
        benchmark_path("measure_noise", RUN_LOG)
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        run=lambda wildcards: planned(wildcards).id,
        data=PATHS.data,
        results=PATHS.results,
        variant=CATALOGUE.protocol(SUITE.protocols[0], SUITE_FILE, "protocols").variant,
        labels=lambda wildcards: json.dumps(noisy_labels(wildcards)),
        code=stage_code("evaluation", "label_noise.py"),
    message:
        "Measure what label noise does to {wildcards.method} ({wildcards.condition}, seed {wildcards.seed})"
    shell:
        "python -m mmseg_ext measure-noise {params.run} --variant {params.variant} --labels {params.labels:q} "
        "--cases {input.cases} --data {params.data} --results {params.results} > {log} 2>&1"


rule controls:
    input:
        cases=test_cases,
        cards=prepared_cards,
    output:
        cases=f"{PATHS.results}/controls/{{task}}/cases.csv",
    log:
        log_path("controls", "{task}"),
    benchmark:
        benchmark_path("controls", "{task}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        data=PATHS.data,
        results=PATHS.results,
        protocols=" ".join(f"--protocol {name}" for name in SUITE.protocols),
        tolerance=lambda wildcards: task_of(wildcards).nsd_tolerance,
        code=stage_code("evaluation", "controls.py"),
    message:
        "Score the control pseudo-methods on {wildcards.task}"
    shell:
        "python -m mmseg_ext controls {wildcards.task} {params.protocols} --cases {input.cases} --data {params.data} "
        "--results {params.results} > {log} 2>&1"
