_base_ = ["zegclip_tiny.py"]
model = dict(decode_head=dict(type="OtSegHead", prompts=3))
