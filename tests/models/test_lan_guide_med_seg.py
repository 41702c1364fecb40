import pytest
import torch
from support.methods import METHODS, resolved_method, weightless
from transformers import BertConfig, BertModel

from mmseg_ext.models.backbones.lan_guide_med_seg import GuideLayer, LanGuideMedSeg, SubpixelUpsampling
from mmseg_ext.models.blocks.text_tokens import HashTokenizer, PretrainedTokenizer, append_tokens, split_tokens
from mmseg_ext.models.blocks.text_tower import BertTower
from mmseg_ext.models.text_preprocessor import TextPreprocessor
from mmseg_ext.registry import build_model
from mmseg_ext.suite.errors import InputError

TEXT = dict(type="BertTower", vocabulary=64, channels=16, layers=1, heads=2, hidden=16)


def count(part, trained=False):
    return sum(item.numel() for item in part.parameters() if item.requires_grad or not trained)


def test_parts_have_the_parameters_of_the_reference():
    model = weightless(METHODS / "label_noise/lan_guide_med_seg.py", classes=1)
    # Without the last normalisation of ConvNeXt and the pooling of BERT-base.
    assert count(model.backbone.vision) == 27_820_128 - 2 * 768
    assert count(model.backbone.text) == 109_482_240 - (768 + 1) * 768
    # Without two projections that nothing reads.
    projections = (768 + 1) * 768 + 2 * (768 + 1) * 768 + 2 * 768
    assert count(model, trained=True) == 43_951_393 - projections - 2 * 768


def test_hashed_words_are_stable_and_padded():
    tokens = HashTokenizer(vocabulary=100, length=4)(["Left lung, lower LOBE", "lobe", "", "a b c d e"])
    assert tokens.shape == (4, 4)
    assert tokens[0, 3] == tokens[1, 0] != 0
    assert tokens[1, 1:].tolist() == [0, 0, 0]
    assert tokens[2].tolist() == [0, 0, 0, 0]
    assert (tokens[3] > 0).all()
    # The published check value of CRC-32.
    assert HashTokenizer(30_522, 1)(["123456789"]).tolist() == [[1 + 0xCBF43926 % 30_521]]


def test_word_pieces_of_a_folder(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "lung", "left"]))
    found = PretrainedTokenizer(str(tmp_path), 6)(["Left lung", "lung lung lung lung lung lung"])
    assert found.tolist() == [[2, 6, 5, 3, 0, 0], [2, 5, 5, 5, 5, 3]]


def test_a_tokenizer_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        PretrainedTokenizer(str(tmp_path / "nowhere"), 6)(["lung"])


def test_tokens_travel_with_their_images():
    images = torch.randn(3, 2, 4, 5)
    tokens = torch.tensor([[30_521, 7], [1, 0], [0, 0]])
    inputs = append_tokens(images, tokens)
    picked, read = split_tokens(inputs.flip(-1)[[2, 0]], 2, 2)
    assert torch.equal(picked, images.flip(-1)[[2, 0]])
    assert torch.equal(read, tokens[[2, 0]])
    assert split_tokens(images, 2, 4)[1].tolist() == [[0] * 4] * 3
    with pytest.raises(ValueError, match="channels"):
        split_tokens(inputs, 1, 2)


def test_preprocessor_standardises_the_image_and_not_the_tokens():
    preprocess = TextPreprocessor(tokenizer=dict(type="HashTokenizer", vocabulary=100, length=3))
    batch = {"inputs": torch.ones(2, 1, 4, 4), "data_samples": torch.zeros(2, 4, 4), "text": ["left lung", ""]}
    found = preprocess(batch, training=True)
    assert set(found) == {"inputs", "data_samples"}
    assert (found["inputs"][:, 0] == 2).all()
    assert torch.equal(found["inputs"][:, 1:, 3, 2].long(), preprocess.tokenizer(batch["text"]))
    assert set(batch) == {"inputs", "data_samples", "text"}
    images = {"inputs": batch["inputs"]}
    assert (preprocess(images)["inputs"][:, 1:] == 0).all()
    with pytest.raises(ValueError, match="no text"):
        preprocess(images, training=True)


def test_padding_is_not_attended_to():
    torch.manual_seed(0)
    tower = BertTower(vocabulary=20, channels=16, layers=2, heads=2, hidden=16).eval()
    padded, alone = tower(torch.tensor([[3, 4, 5, 0, 0]])), tower(torch.tensor([[3, 4, 5]]))
    torch.testing.assert_close(padded[:, :3], alone)
    assert tower(torch.zeros(2, 5, dtype=torch.long)).isfinite().all()


def test_a_frozen_tower_starts_from_its_weights_and_stays(tmp_path):
    torch.manual_seed(0)
    size = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    given = BertModel(BertConfig(vocab_size=20, **size), add_pooling_layer=False)
    given.save_pretrained(tmp_path)
    options = dict(vocabulary=20, channels=16, layers=1, heads=2, hidden=16, pretrained=str(tmp_path), frozen=True)
    tower = BertTower(**options)
    tower.init_weights()
    tower.train()
    assert not any(item.training for item in tower.modules())
    assert not any(item.requires_grad for item in tower.parameters())
    tokens = torch.tensor([[3, 4, 5]])
    torch.testing.assert_close(tower(tokens), given.eval()(tokens).last_hidden_state)
    with pytest.raises(InputError, match="of this size"):
        BertTower(**options | {"vocabulary": 21}).init_weights()
    with pytest.raises(InputError, match="missing"):
        BertTower(**options | {"pretrained": str(tmp_path / "missing")}).init_weights()
    with pytest.raises(ValueError, match="pretrained"):
        BertTower(**options | {"pretrained": None})


def test_text_reaches_the_logits():
    torch.manual_seed(0)
    model = build_model(
        resolved_method(METHODS / "label_noise/lan_guide_med_seg_tiny.py", 2, 1, (64, 64)).model.to_dict()
    )
    model.init_weights()
    images = torch.rand(1, 1, 64, 64).expand(2, -1, -1, -1)
    model.eval()
    with torch.no_grad():
        found = [
            model.encode_decode(model.data_preprocessor({"inputs": images, "text": texts})["inputs"])
            for texts in (["left lung", "right lung"], ["right lung", "left lung"])
        ]
    assert not torch.allclose(found[0][0], found[0][1])
    torch.testing.assert_close(found[0], found[1].flip(0))


def test_guide_adds_what_it_reads_by_a_learned_share():
    torch.manual_seed(0)
    layer = GuideLayer(8, 6, tokens=5, kept=3)
    maps, text, other = torch.randn(1, 8, 3, 4), torch.randn(1, 5, 6), torch.randn(1, 5, 6)
    assert float(layer.scale.detach()) == pytest.approx(1.421)
    assert not torch.allclose(layer(maps, text), layer(maps, other))
    torch.nn.init.zeros_(layer.scale)
    torch.testing.assert_close(layer(maps, text), layer(maps, other))


def test_other_sizes_than_the_published():
    torch.manual_seed(0)
    model = LanGuideMedSeg(1, TEXT, text_length=5, widths=(8, 16, 32, 64), depths=(1, 1, 1, 1), out_channels=3).eval()
    assert model(torch.randn(2, 1, 32, 64))[0].shape == (2, 3, 32, 64)


def test_constant_maps_stay_constant_inside():
    layer = SubpixelUpsampling(2, 3, 4)
    torch.nn.init.zeros_(layer.convolution.weight)
    torch.nn.init.ones_(layer.convolution.bias)
    found = layer(torch.randn(1, 2, 5, 6))
    assert found.shape == (1, 3, 20, 24)
    torch.testing.assert_close(found[..., 3:, 3:], torch.ones(1, 3, 17, 21))
    assert found[0, 0, 0, 0].item() == pytest.approx(1 / 16)
