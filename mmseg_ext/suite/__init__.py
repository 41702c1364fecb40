"""Typed configuration, the run matrix, run keys and paths. Imports nothing else of the package."""
