_base_ = ["b0_vanilla_tiny.py"]
model = dict(decode_head=dict(groups=[dict(_base_.model.decode_head.groups[0], targets="both")]))
train_dataloader = dict(dataset=dict(follow=dict(regions="$regions")))
train_cfg = dict(paradigm=dict(type="RegionTraining", embeddings="$regions"))
