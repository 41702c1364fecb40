"""Modules between encoder and decode head."""
