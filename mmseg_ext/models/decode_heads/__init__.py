"""Modules from features to logits."""
