"""Encoders from unlabelled images, shared by all runs that start from them."""

PRETRAINED = f"{PATHS.results}/pretrain/{{source}}/{{method}}/seed_{{seed}}"


rule pretrain:
    input:
        files=stage_inputs(PRETRAINED),
    output:
        record=f"{PRETRAINED}/record.json",
        encoder=f"{PRETRAINED}/encoder.pth",
        config=f"{PRETRAINED}/config.py",
        curves=f"{PRETRAINED}/curves.csv",
        cost=f"{PRETRAINED}/cost.json",
        probe=f"{PRETRAINED}/probe.json",
    log:
        log_path("pretrain", "{source}/{method}/seed_{seed}"),
    benchmark:
        benchmark_path("pretrain", "{source}/{method}/seed_{seed}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: lambda wildcards: stage_result(PRETRAINED)(wildcards).resources["threads"]
    resources:
        mem_mb=lambda wildcards: stage_result(PRETRAINED)(wildcards).resources["memory_mb"],
        runtime=lambda wildcards: stage_result(PRETRAINED)(wildcards).resources["runtime_minutes"],
    params:
        data=PATHS.data,
        results=PATHS.results,
        # Not an output: Snakemake removes the outputs of a failed job, and the checkpoints must survive it.
        work=lambda wildcards: PATHS.work(stage_result(PRETRAINED)(wildcards).key),
        key=lambda wildcards: stage_result(PRETRAINED)(wildcards).key,
        settings=lambda wildcards: json.dumps(stage_result(PRETRAINED)(wildcards).recipe["settings"], sort_keys=True),
    message:
        "Pre-train {wildcards.method} on {wildcards.source} (seed {wildcards.seed})"
    shell:
        "python -m mmseg_ext pretrain --settings {params.settings:q} --threads {threads} --key {params.key} "
        "--data {params.data} --results {params.results} 2>&1 | tee {log}"
