"""Whole networks: what a method trains."""
