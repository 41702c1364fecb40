_base_ = ["zegclip.py"]
model = dict(decode_head=dict(type="OtSegHead", prompts=6))
