"""Data sets from their source to the prepared form. Imports no torch."""
