_base_ = ["hiperformer_tiny.py"]
model = dict(neck=dict(with_pmi=False, with_pga=False))
