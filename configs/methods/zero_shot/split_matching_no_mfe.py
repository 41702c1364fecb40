_base_ = ["b0_vanilla.py"]
seen = dict(_base_.model.decode_head.groups[0], queries=50)
model = dict(decode_head=dict(groups=[seen, dict(seen, targets="candidates", class_cost="cosine")]))
del seen  # a name that stays would be part of the config
train_dataloader = dict(dataset=dict(follow=dict(regions="$regions")))
train_cfg = dict(paradigm=dict(type="RegionTraining", embeddings="$regions"))
