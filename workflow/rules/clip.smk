"""CLIP, and the regions it divides training images into."""

TRAINED = f"{PATHS.results}/clip/trained/{{clip}}/{{task}}"
IMPORTED = f"{PATHS.results}/clip/imported/{{clip}}/{{task}}"
REGIONS = f"{PATHS.results}/regions/{{clip}}/{{task}}/{{setting}}/{{dataset}}"


wildcard_constraints:
    clip=r"[a-z][a-z0-9_]*",
    setting=r"[0-9a-f]{8}",


rule pretrain_clip:
    output:
        # The rest of the folder is no output, so that one file says that all is there.
        record=f"{TRAINED}/record.json",
    log:
        log_path("pretrain_clip", "{clip}/{task}"),
    benchmark:
        benchmark_path("pretrain_clip", "{clip}/{task}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        results=PATHS.results,
        recipe=stage_recipe(TRAINED),
    message:
        "Train {wildcards.clip} for {wildcards.task}"
    shell:
        "python -m mmseg_ext pretrain-clip {wildcards.clip} {wildcards.task} --results {params.results} > {log} 2>&1"


rule import_clip:
    output:
        record=f"{IMPORTED}/record.json",
    log:
        log_path("import_clip", "{clip}/{task}"),
    benchmark:
        benchmark_path("import_clip", "{clip}/{task}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=60,
        downloads=1,
    params:
        results=PATHS.results,
        recipe=stage_recipe(IMPORTED),
    message:
        "Import {wildcards.clip} for {wildcards.task}"
    shell:
        "python -m mmseg_ext import-clip {wildcards.clip} {wildcards.task} --results {params.results} > {log} 2>&1"


rule regions:
    input:
        cards=stage_inputs(REGIONS),
    output:
        # The maps themselves are no outputs, so that those of a stopped job are kept.
        record=f"{REGIONS}/record.json",
    log:
        log_path("regions", "{clip}/{task}/{setting}/{dataset}"),
    benchmark:
        benchmark_path("regions", "{clip}/{task}/{setting}/{dataset}")
    conda:
        "../envs/mmseg-ext.yaml"
    # As many as there are, up to eight.
    threads: 8
    resources:
        mem_mb=lambda wildcards, threads: 1000 + 1500 * threads,
        runtime=1440,
    params:
        data=PATHS.data,
        results=PATHS.results,
        recipe=stage_recipe(REGIONS),
        setting=lambda wildcards: json.dumps(stage_result(REGIONS)(wildcards).recipe["setting"], sort_keys=True),
    message:
        "Divide the images of {wildcards.dataset} into regions by {wildcards.clip} ({wildcards.task})"
    shell:
        "python -m mmseg_ext regions {wildcards.clip} {wildcards.task} {wildcards.dataset} --setting {params.setting:q} "
        "--data {params.data} --results {params.results} --workers {threads} > {log} 2>&1"
