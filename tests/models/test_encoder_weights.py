import pytest
import torch

from mmseg_ext.models.backbones.leaky_unet import LeakyUNetEncoder
from mmseg_ext.models.encoder_weights import EncoderWeights
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json

WIDTHS = (2, 3, 4)


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(0)
    torch.save(LeakyUNetEncoder(1, WIDTHS).state_dict(), tmp_path / "encoder.pth")
    return tmp_path / "encoder.pth"


def load(file, widths=WIDTHS, channels=1):
    encoder = LeakyUNetEncoder(channels, widths)
    EncoderWeights(str(file), str(file.parent))(encoder)
    return encoder


def test_every_key_is_loaded_and_reported(file):
    state = torch.load(file, weights_only=True)
    torch.save({**state, "head.weight": torch.zeros(2)}, file)
    encoder = load(file)
    assert all(torch.equal(value, state[name]) for name, value in encoder.state_dict().items())
    report = read_json(file.parent / "initial_weights.json")
    assert report == {"loaded": sorted(state), "skipped": ["head.weight"], "missing": []}


@pytest.mark.parametrize(
    ("widths", "channels", "words"),
    [((2, 3, 5), 1, "bottom.0.weight"), (WIDTHS, 4, "stages.0.0.weight"), ((2, 3, 4, 4), 1, "keys")],
)
def test_weights_that_do_not_fit(file, widths, channels, words):
    with pytest.raises(InputError) as error:
        load(file, widths, channels)
    assert words in error.value.field
    assert not (file.parent / "initial_weights.json").exists()


@pytest.mark.parametrize("content", [None, b"no weights", [1, 2]])
def test_files_that_are_no_weights(tmp_path, content):
    file = tmp_path / "encoder.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    with pytest.raises(InputError):
        load(file)
