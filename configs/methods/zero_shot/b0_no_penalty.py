_base_ = ["b0_vanilla.py"]
model = dict(decode_head=dict(groups=[dict(_base_.model.decode_head.groups[0], spare_unannotated=0.5)]))
