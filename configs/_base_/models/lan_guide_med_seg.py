"""LanGuideMedSeg at its published size, with the radiology BERT its authors use, frozen."""

_base_ = ["dense_segmentor.py"]
text_model = "microsoft/BiomedVLP-CXR-BERT-specialized"
model = dict(
    data_preprocessor=dict(
        type="TextPreprocessor",
        tokenizer=dict(type="PretrainedTokenizer", name=text_model, length=24),
    ),
    backbone=dict(
        type="LanGuideMedSeg",
        text=dict(type="BertTower", pretrained=text_model, frozen=True),
        text_length=24,
        widths=(96, 192, 384, 768),
        depths=(3, 3, 9, 3),
        guide_lengths=(24, 12, 9),
        out_channels=24,
    ),
    decode_head=dict(
        in_channels=24,
    ),
)
