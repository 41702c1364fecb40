"""Source to prepared form."""


# Neither output nor benchmark: what is here may have changed, so it is looked at whenever this is asked for.
rule data_plan:
    log:
        log_path("data_plan", SUITE.suite),
    localrule: True
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    params:
        datasets=PLAN.datasets,
        table=f"{PATHS.results}/plans/{SUITE.suite}_data.csv",
        data=PATHS.data,
        options=SOURCE_OPTIONS,
    message:
        "List what has to be fetched for suite {SUITE.suite}"
    shell:
        "python -m mmseg_ext fetch-plan {params.datasets} --data {params.data} {params.options} --out {params.table} "
        "2>&1 | tee {log}"


rule fetch:
    output:
        source=f"{PATHS.data}/raw/{{dataset}}/source.json",
    log:
        log_path("fetch", "{dataset}"),
    benchmark:
        benchmark_path("fetch", "{dataset}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=240,
        # Data sets that are downloaded at once; the default profile allows one, to be polite to the hosts.
        downloads=lambda wildcards: int(card_of(wildcards).source.access == "open"),
        # Not among the params: an option given once and left out later would fetch everything anew.
        options=SOURCE_OPTIONS,
    params:
        data=PATHS.data,
        key=lambda wildcards: source_key(card_of(wildcards)),
        local=lambda wildcards: LOCAL[wildcards.dataset],
    message:
        "Fetch {wildcards.dataset}"
    shell:
        "python -m mmseg_ext fetch {wildcards.dataset} --data {params.data} {resources.options} > {log} 2>&1"


rule prepare:
    input:
        source=rules.fetch.output.source,
    output:
        card=f"{PATHS.data}/prepared/{{dataset}}/card.json",
    log:
        log_path("prepare", "{dataset}"),
    benchmark:
        benchmark_path("prepare", "{dataset}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        data=PATHS.data,
        key=lambda wildcards: data_key(card_of(wildcards), CATALOGUE),
        local=lambda wildcards: LOCAL[wildcards.dataset],
    message:
        "Convert {wildcards.dataset} to the prepared form"
    shell:
        "python -m mmseg_ext prepare {wildcards.dataset} --data {params.data} > {log} 2>&1"


rule check_data:
    input:
        card=rules.prepare.output.card,
    output:
        quality=f"{PATHS.results}/data/{{dataset}}/quality.json",
        tables=expand(
            f"{PATHS.results}/data/{{{{dataset}}}}/{{table}}.csv", table=["cases", "classes", "near_duplicates"]
        ),
    log:
        log_path("check_data", "{dataset}"),
    benchmark:
        benchmark_path("check_data", "{dataset}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        data=PATHS.data,
        results=PATHS.results,
        code=stage_code("data", "checks", "check.py"),
    message:
        "Look for leaks and oddities in {wildcards.dataset}"
    shell:
        "python -m mmseg_ext check {wildcards.dataset} --data {params.data} --results {params.results} > {log} 2>&1"


rule check_task:
    input:
        cards=prepared_cards,
    output:
        quality=f"{PATHS.results}/data/tasks/{{task}}/quality.json",
        pairs=f"{PATHS.results}/data/tasks/{{task}}/near_duplicates.csv",
    log:
        log_path("check_task", "{task}"),
    benchmark:
        benchmark_path("check_task", "{task}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        data=PATHS.data,
        results=PATHS.results,
        code=stage_code("data", "checks", "check_task.py"),
    message:
        "Compare the data sets of {wildcards.task} with each other"
    shell:
        "python -m mmseg_ext check-task {wildcards.task} --data {params.data} --results {params.results} > {log} 2>&1"


rule subset:
    input:
        cards=prepared_cards,
    output:
        cases=f"{PATHS.results}/subsets/{{track}}/{{task}}/{{condition}}/seed_{{seed}}.csv",
    log:
        log_path("subset", "{track}/{task}/{condition}/seed_{seed}"),
    benchmark:
        benchmark_path("subset", "{track}/{task}/{condition}/seed_{seed}")
    conda:
        "../envs/mmseg-ext.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        data=PATHS.data,
        condition=lambda wildcards: condition_key(condition_of(wildcards), task_of(wildcards), CATALOGUE),
    message:
        "List the cases of {wildcards.task} under {wildcards.condition}, seed {wildcards.seed}"
    shell:
        "python -m mmseg_ext subset {wildcards.track} {wildcards.task} {wildcards.condition} "
        "--seed {wildcards.seed} --data {params.data} --out {output.cases} > {log} 2>&1"
