"""Noisy labels of a data set, shared by all methods and seeds."""

NOISY_LABELS = f"{PATHS.results}/label_noise/{{dataset}}/{{noise}}"


rule label_noise:
    input:
        files=stage_inputs(NOISY_LABELS),
    output:
        record=f"{NOISY_LABELS}/record.json",
    log:
        log_path("label_noise", "{dataset}/{noise}"),
    benchmark:
        benchmark_path("label_noise", "{dataset}/{noise}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        data=PATHS.data,
        out=lambda wildcards: stage_result(NOISY_LABELS)(wildcards).folder,
        recipe=stage_recipe(NOISY_LABELS),
        labels=lambda wildcards: json.dumps(stage_result(NOISY_LABELS)(wildcards).recipe["labels"]),
    message:
        "Make noisy labels {wildcards.noise} of {wildcards.dataset}"
    shell:
        "python -m mmseg_ext label-noise {wildcards.dataset} --labels {params.labels:q} --out {params.out} "
        "--data {params.data} > {log} 2>&1"
