"""Feature extractors; a U-shaped network is one backbone whose last map feeds the head."""
