"""Assignments of predictions to targets."""
