"""CLIP: frozen towers, class embeddings, and a small CLIP that a CPU can train."""
