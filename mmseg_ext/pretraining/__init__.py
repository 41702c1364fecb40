"""Self-supervised objectives on one frame: views of a slice, an encoder, heads, a loss."""
