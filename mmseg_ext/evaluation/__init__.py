"""Per-case measures, empty-mask policy, scoring of each protocol. Imports no torch."""
