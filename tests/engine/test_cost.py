import torch
from torch import nn

from mmseg_ext.engine.cost import hardware, network_cost, peak_memory_mb


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.used = nn.Conv2d(2, 3, 3, padding=1, bias=False)
        self.normalise = nn.BatchNorm2d(3)
        self.unused = nn.Linear(5, 5)

    def dense_logits(self, inputs):
        return [self.normalise(self.used(inputs))]

    def encode_decode(self, inputs):
        return self.dense_logits(inputs)[0]


def test_parameters_and_operations():
    found = network_cost(Tiny(), (2, 8, 10))
    assert found["parameters_total"] == 2 * 3 * 9 + 6 + 30
    assert found["parameters_live"] == 2 * 3 * 9 + 6
    assert found["flops"] == 2 * 2 * 3 * 9 * 80
    assert found["flops_input"] == [2, 8, 10]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def dense_logits(self, inputs):
        tokens = self.scale * inputs.flatten(2)[:, None]
        return [nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)]

    def encode_decode(self, inputs):
        return self.dense_logits(inputs)[0]


def test_operations_of_fused_attention_count():
    assert network_cost(Attention(), (5, 2, 3))["flops"] == 2 * (2 * 5 * 5 * 6)


def test_measuring_leaves_the_network_alone():
    model = Tiny().eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    network_cost(model, (2, 8, 8))
    assert not model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_machine():
    assert peak_memory_mb() > 10
    assert hardware()["cores"] >= 1
    assert hardware()["cpu"]
