import torch
from support.methods import METHODS, size, weightless

from mmseg_ext.models.backbones.conv_former import EPSILON, EnhancedSelfAttention


def test_size_of_the_released_network():
    model = weightless(METHODS / "label_noise/conv_former.py", classes=2, side=256)
    assert size(model, side=256)[0] == 115_610_018
    assert round(size(model, side=256)[1] / 1e9, 2) == 133.80
    assert size(weightless(METHODS / "label_noise/conv_former_tiny.py", classes=2), side=64)[0] == 299_442


def test_nearness_is_the_normalised_gaussian_of_the_distance():
    torch.manual_seed(0)
    layer = EnhancedSelfAttention(8, 2).double()
    height, width = 3, 4
    places = [(row / height, column / width) for row in range(height) for column in range(width)]
    squares = torch.tensor([[(a - c) ** 2 + (b - d) ** 2 for c, d in places] for a, b in places], dtype=torch.float64)
    for head, found in enumerate(layer.nearness(height, width)):
        reach = 0.003 + 0.397 / (1 + torch.exp(-layer.reach[head]))
        expected = torch.exp(-squares / (2 * reach**2))
        torch.testing.assert_close(found, expected / expected.sum(1, keepdim=True))


def test_attention_is_the_formula():
    torch.manual_seed(0)
    layer = EnhancedSelfAttention(4, 2).double().eval()
    layer.out = torch.nn.Identity()
    maps = torch.randn(1, 4, 2, 3, dtype=torch.float64)
    query, key, value = layer.qkv(maps)[0].flatten(1).chunk(3)
    found = layer(maps)[0].flatten(1)
    for head, part in enumerate((slice(0, 2), slice(2, 4))):
        q, k, v = query[part].T, key[part].T, value[part].T
        lengths = torch.sqrt((q**2).sum(1) + EPSILON)[:, None] * torch.sqrt((k**2).sum(1) + EPSILON)
        weights = (q @ k.T) / (lengths + EPSILON) * layer.nearness(2, 3)[head]
        torch.testing.assert_close(found[part], (weights @ v).T)


def test_a_short_reach_sees_the_pixel_itself():
    layer = EnhancedSelfAttention(4, 1)
    torch.nn.init.constant_(layer.reach, -50.0)
    torch.testing.assert_close(layer.nearness(4, 4)[0], torch.eye(16))
