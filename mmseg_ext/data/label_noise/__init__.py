"""Label noise of known families on true masks."""
