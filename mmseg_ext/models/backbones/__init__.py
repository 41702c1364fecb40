"""Networks up to their last feature maps."""
