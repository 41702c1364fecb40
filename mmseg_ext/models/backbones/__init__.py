"""Encoders: images to feature pyramids."""
