from snakemake.utils import min_version

min_version("9.14")


# A suite given with --configfile replaces the default one; it is not merged into it.
if "suite" not in config:

    configfile: "configs/suites/demo.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/label_noise.smk"
include: "workflow/rules/superpixels.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/clip.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        f"{PATHS.results}/report/index.html",
    localrule: True
    message:
        "Suite {SUITE.suite} is complete"
