"""CLIP folders, the frozen towers and the class embeddings a network uses."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from support.tiny_clip import write_tiny_clip
from transformers import CLIPConfig, CLIPModel

from mmseg_ext.models.vision_language.clip_folder import load_clip
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip
from mmseg_ext.models.vision_language.mini_clip import MAX_WORDS, WordTokenizer
from mmseg_ext.models.vision_language.text_bank import TextBank
from mmseg_ext.suite.errors import InputError

NAMES = ["background", "plain_circle", "striped_circle", "dotted_cross"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_clip(tmp_path_factory.mktemp("clip"), NAMES)


@pytest.fixture(scope="module")
def clip(folder):
    return FrozenClip(str(folder))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A CLIP of two layers as `transformers` saves it, its tokenizer among the files."""
    torch.manual_seed(1)
    root = tmp_path_factory.mktemp("published")
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    special = {"vocab_size": len(vocabulary), "bos_token_id": len(vocabulary) - 2, "eos_token_id": len(vocabulary) - 1}
    config = CLIPConfig(
        text_config={**tower, **special}, vision_config={**tower, "image_size": 32, "patch_size": 8}, projection_dim=16
    )
    model = CLIPModel(config).eval()
    model.save_pretrained(root)
    (root / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.4] * 3, "image_std": [0.3] * 3}))
    (root / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(vocabulary)}))
    (root / "merges.txt").write_text("#version: 0.2\n")
    return root, model


def test_a_published_clip_gives_the_features_of_transformers(published):
    root, model = published
    clip = FrozenClip(str(root))
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = model.get_image_features((images - 0.4) / 0.3).pooler_output
    assert torch.allclose(clip.image(images), torch.nn.functional.normalize(expected, dim=-1), atol=1e-5)
    assert (clip.width, clip.side, clip.patch) == (16, 32, 8)
    said = clip.text(["a cat", "dogs"])
    assert said.shape == (2, 16)
    assert not torch.allclose(said[0], said[1])


def test_one_token_attends_to_itself_only_so_dense_features_meet_cls(published):
    """With all weights of the values equal over tokens, the value path is what attention gives."""
    root, _ = published
    clip = FrozenClip(str(root))
    flat = torch.full((1, 3, 32, 32), 0.6)
    embeddings = clip.vision.embeddings
    with torch.no_grad():
        embeddings.position_embedding.weight.zero_()
        embeddings.class_embedding.copy_(embeddings.patch_embedding((flat - 0.4) / 0.3)[0, :, 0, 0])
    expected = clip.image(flat)[0][:, None, None].expand(-1, 4, 4)
    for readout in ("value", "cls_residual"):
        assert torch.allclose(clip.dense(flat, readout)[0], expected, atol=1e-5)


@pytest.mark.parametrize("readout", ["value", "cls_residual"])
def test_dense_features_of_any_size_have_unit_length(clip, readout):
    found = clip.dense(torch.rand(2, 3, 50, 64), readout)
    assert found.shape == (2, clip.width, 7, 8)
    assert torch.allclose(found.norm(dim=1), torch.ones(2, 7, 8), atol=1e-5)


def test_what_is_frozen_is_in_no_checkpoint_and_follows_the_module(clip):
    assert list(clip.parameters()) == []
    assert clip.state_dict() == {}
    clip.train()
    assert not clip.vision.training
    assert not any(weight.requires_grad for weight in clip.vision.parameters())
    clip.double()
    assert clip.vision.pre_layrnorm.weight.dtype == torch.float64
    clip.float()


def test_a_crop_shows_its_region_only(clip):
    image = torch.rand(3, 40, 60)
    masks = torch.zeros(2, 40, 60, dtype=torch.bool)
    masks[0, 10:20, 5:25] = True
    masks[1, 30:, 50:] = True
    crops = clip.masked_crops(image, masks)
    assert crops.shape == (2, 3, clip.side, clip.side)
    assert torch.allclose(crops[:, :, 0, 0], clip.mean.view(1, 3))
    other = torch.where(masks.any(0), image, torch.rand(3, 40, 60))
    assert torch.equal(clip.regions(other, masks), clip.regions(image, masks))
    assert clip.regions(image, masks[:0]).shape == (0, clip.width)


def test_a_crop_is_the_same_wherever_the_region_lies(clip):
    patch = torch.rand(3, 10, 10)
    found = []
    for top, left in ((0, 0), (12, 17), (30, 50)):
        image, mask = torch.rand(3, 40, 60), torch.zeros(1, 40, 60, dtype=torch.bool)
        image[:, top : top + 10, left : left + 10] = patch
        mask[0, top : top + 10, left : left + 10] = True
        found.append(clip.masked_crops(image, mask))
    assert torch.allclose(found[0], found[1], atol=1e-6)
    assert torch.allclose(found[0], found[2], atol=1e-6)


def test_words_become_ids_closed_by_an_end():
    tokenize = WordTokenizer(["a", "circle"])
    assert tokenize(["a circle", "circle"])[:, :4].tolist() == [[3, 4, 1, 0], [4, 1, 0, 0]]
    with pytest.raises(KeyError):
        tokenize(["a square"])
    with pytest.raises(ValueError, match="found 8 words"):
        tokenize(["a " * MAX_WORDS])


def test_the_end_of_a_sentence_is_what_counts(clip):
    """Padding after the end changes nothing, and order matters."""
    one, two, swapped = clip.text(["a striped circle", "a striped circle", "striped a circle"])
    assert torch.equal(one, two)
    assert not torch.allclose(one, swapped, atol=1e-3)


def test_a_bank_knows_seen_names_until_the_others_are_revealed(folder):
    bank = TextBank(str(folder), ["background", "plain_circle", None, "dotted_cross"])
    assert bank.known.tolist() == [True, True, False, True]
    assert bank.embeddings[2].eq(0).all()
    assert torch.allclose(bank.embeddings[[0, 1, 3]].norm(dim=1), torch.ones(3))
    assert bank.state_dict() == {}
    scores = bank.masked(torch.zeros(2, 4, 3, 3))
    assert (scores.argmin(1) == 2).all()
    before = bank.embeddings.clone()
    bank.reveal([None, *NAMES[1:]])
    assert torch.equal(bank.embeddings[[1, 3]], before[[1, 3]])
    assert bank.known.tolist() == [False, True, True, True]
    with pytest.raises(ValueError, match="found 2 names"):
        bank.reveal(NAMES[:2])


def test_training_reads_no_unseen_name(folder, tmp_path):
    """Without the unseen embedding on disk a bank of seen names is what it was."""
    seen = [name if name != "striped_circle" else None for name in NAMES]
    expected = TextBank(str(folder), seen).embeddings
    with np.load(folder / "text.npz") as stored:
        np.savez(tmp_path / "text.npz", **{name: stored[name] for name in NAMES if name != "striped_circle"})
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    assert torch.equal(TextBank(str(tmp_path), seen).embeddings, expected)


def test_a_name_without_an_embedding_is_named(folder):
    with pytest.raises(InputError, match=r"text\.npz: class name: found 'plain_circel'.*Did you mean 'plain_circle'"):
        TextBank(str(folder), ["plain_circel"])


def test_embeddings_of_another_clip_are_refused(folder, tmp_path):
    np.savez(copy(folder, tmp_path) / "text.npz", background=np.ones(64, np.float32))
    with pytest.raises(
        InputError, match=r"text\.npz: background: found \(64,\), expected.*config\.json says, \(128,\)"
    ):
        TextBank(str(tmp_path), ["background"])


def copy(folder, target):
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json", "words.json"])
def test_a_missing_file_is_named(folder, tmp_path, name):
    (copy(folder, tmp_path) / name).unlink()
    named = "tokenizer.json" if name == "words.json" else name
    with pytest.raises(InputError, match=rf"{named}: file: found 'nothing'"):
        load_clip(tmp_path)


def test_weights_of_another_width_or_form_are_refused(folder, tmp_path):
    weights = load_file(copy(folder, tmp_path) / "model.safetensors")
    save_file({**weights, "visual_projection.weight": torch.zeros(64, 128)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"visual_projection\.weight: found \(64, 128\), expected.*\(128, 128\)"):
        load_clip(tmp_path)
    weights.pop("visual_projection.weight")
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"found 'no visual_projection\.weight'"):
        load_clip(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.safetensors", "cut off", r"model\.safetensors: content.*whole weights"),
        ("config.json", "{", r"config\.json: content.*valid JSON"),
        ("config.json", "{}", r"config\.json: projection_dim: found None"),
        ("preprocessor_config.json", '{"image_mean": [0.5]}', r"image_mean: found \[0\.5\], expected three numbers"),
        ("text.npz", "cut off", r"text\.npz: content.*archive of NumPy arrays"),
    ],
)
def test_a_broken_file_is_named(folder, tmp_path, name, content, words):
    (copy(folder, tmp_path) / name).write_text(content)
    with pytest.raises(InputError, match=words):
        TextBank(str(tmp_path), NAMES) if name == "text.npz" else load_clip(tmp_path)
