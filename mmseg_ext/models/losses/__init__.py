"""Loss functions of dense logits."""
