"""Heads that turn feature maps into logits."""
