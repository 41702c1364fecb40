"""One generic rule trains, predicts and records the cost of any run."""


rule train:
    input:
        cards=prepared_cards,
        cases=rules.subset.output.cases,
        needs=lambda wildcards: [str(need.done) for need in PLAN.needs[planned(wildcards).id]],
    output:
        run=f"{RUN}/run.json",
        config=f"{RUN}/config.py",
        curves=f"{RUN}/curves.csv",
        cost=f"{RUN}/cost.json",
        weights=directory(f"{RUN}/weights"),
        predictions=directory(f"{RUN}/predictions"),
    log:
        log_path("train", RUN_LOG),
    benchmark:
        benchmark_path("train", RUN_LOG)
    conda:
        "../envs/mmseg-ext.yaml"
    threads: lambda wildcards: planned(wildcards).schedule.threads
    resources:
        mem_mb=lambda wildcards: planned(wildcards).schedule.memory_mb,
        runtime=lambda wildcards: planned(wildcards).schedule.runtime_minutes,
    params:
        run=lambda wildcards: planned(wildcards).id,
        data=PATHS.data,
        results=PATHS.results,
        # Not an output: Snakemake removes the outputs of a failed job, and the checkpoints must survive it.
        work=lambda wildcards: PATHS.work(PLAN.keys[planned(wildcards).id]),
        key=lambda wildcards: PLAN.keys[planned(wildcards).id],
        schedule=lambda wildcards: planned(wildcards).schedule.model_dump_json(exclude_none=True),
        pretraining=pretraining_option,
        variants=" ".join(f"--variant {variant}" for variant in VARIANTS),
    message:
        "Train {wildcards.method} on {wildcards.task} ({wildcards.condition}, seed {wildcards.seed})"
    shell:
        "python -m mmseg_ext train {params.run} --schedule {params.schedule:q} {params.variants} {params.pretraining} --threads {threads} "
        "--key {params.key} --cases {input.cases} --data {params.data} --results {params.results} 2>&1 | tee {log}"
