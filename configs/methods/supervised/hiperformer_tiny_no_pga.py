_base_ = ["hiperformer_tiny.py"]
model = dict(neck=dict(with_pga=False))
