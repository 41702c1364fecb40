_base_ = ["unet_tiny.py"]
model = dict(decode_head=dict(loss_decode=dict(type="TLoss")))
# The degrees of freedom get their gradient from the loss, not from the logits.
not_live = ["decode_head.loss_decode"]
