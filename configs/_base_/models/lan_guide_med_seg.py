"""LanGuideMedSeg at its published size, with the radiology BERT its authors use, frozen."""

text_model = "microsoft/BiomedVLP-CXR-BERT-specialized"
model = dict(
    type="DenseSegmentor",
    stride=32,
    data_preprocessor=dict(
        type="TextPreprocessor",
        tokenizer=dict(type="PretrainedTokenizer", name=text_model, length=24),
    ),
    backbone=dict(
        type="LanGuideMedSeg",
        in_channels="$in_channels",
        text=dict(type="BertTower", pretrained=text_model, frozen=True),
        text_length=24,
        widths=(96, 192, 384, 768),
        depths=(3, 3, 9, 3),
        guide_lengths=(24, 12, 9),
        out_channels=24,
    ),
    decode_head=dict(
        type="ConvHead",
        in_channels=24,
        dropout_ratio=0.0,
        num_classes="$num_classes",
        out_channels="$num_classes",
        # MMSegmentation's narrow start of the last layer (std 0.01) made classes collapse under the Dice term.
        init_cfg=None,
        loss_decode=dict(type="CEDiceLoss"),
    ),
)
