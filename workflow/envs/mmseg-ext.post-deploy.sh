# Run by Snakemake in the new environment, from the repository root: pyproject.toml lists the packages, constraints.txt their versions.
set -eu
PIP_CONSTRAINT=constraints.txt python -m pip install --editable .
