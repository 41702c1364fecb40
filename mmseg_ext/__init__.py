"""Reproducible segmentation benchmark on MMSegmentation registries, driven by Snakemake."""

__version__ = "0.1.0"
