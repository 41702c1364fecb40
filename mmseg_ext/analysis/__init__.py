"""Statistics, ranks, claims, differences to published numbers. Imports no torch."""
