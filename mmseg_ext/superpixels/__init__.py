"""Superpixels: algorithms behind one function, their quality, and maps on disk."""
