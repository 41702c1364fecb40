"""Training under label noise: DALE and what it is compared with."""
