_base_ = ["hiperformer_tiny.py"]
model = dict(backbone=dict(branches=("global",)))
