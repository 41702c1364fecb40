"""Superpixel maps of prepared data sets, one folder a recipe."""

MAPS = f"{PATHS.data}/prepared/{{dataset}}/superpixels/{{recipe}}"


rule superpixels:
    input:
        cards=stage_inputs(MAPS),
    output:
        # The maps themselves are no outputs, so that those of a stopped job are kept.
        record=f"{MAPS}/maps.json",
        quality=f"{MAPS}/quality.csv",
    log:
        log_path("superpixels", "{dataset}/{recipe}"),
    benchmark:
        benchmark_path("superpixels", "{dataset}/{recipe}")
    conda:
        "../envs/mmseg-ext.yaml"
    # As many as there are, up to eight.
    threads: 8
    resources:
        mem_mb=lambda wildcards, threads: 500 + 250 * threads,
        runtime=240,
    params:
        data=PATHS.data,
        recipe=lambda wildcards: json.dumps(stage_result(MAPS)(wildcards).recipe["settings"], sort_keys=True),
        code=stage_code("superpixels", "make.py"),
    message:
        "Divide the images of {wildcards.dataset} into superpixels ({wildcards.recipe})"
    shell:
        "python -m mmseg_ext superpixels {wildcards.dataset} --recipe {params.recipe:q} --data {params.data} "
        "--workers {threads} > {log} 2>&1"
