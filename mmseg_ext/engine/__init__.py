"""Training and prediction on MMEngine's Runner."""
