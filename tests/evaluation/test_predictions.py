"""Predictions on disk."""

import numpy as np
import pytest

from mmseg_ext.evaluation.predictions import hash_predictions, read_prediction, write_prediction
from mmseg_ext.suite.errors import InputError


@pytest.fixture
def labels():
    return np.random.default_rng(0).integers(0, 5, (3, 7, 6)).astype(np.uint8)


def test_what_is_written_is_read(tmp_path, labels):
    write_prediction(tmp_path / "set", "case_1", labels)
    read = read_prediction(tmp_path / "set", "case_1")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, labels)
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["case_1.npz"]


@pytest.mark.parametrize(("change", "field"), [(lambda x: x.astype(np.int64), "dtype"), (lambda x: x[0], "shape")])
def test_other_arrays_are_refused_on_both_ways(tmp_path, labels, change, field):
    with pytest.raises(InputError, match=rf"case_1.*labels\.{field}"):
        write_prediction(tmp_path, "case_1", change(labels))
    assert not list(tmp_path.iterdir())
    np.savez_compressed(tmp_path / "case_1.npz", labels=change(labels))
    with pytest.raises(InputError, match=rf"case_1.*labels\.{field}"):
        read_prediction(tmp_path, "case_1")


def test_a_missing_prediction_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.npz: file: found 'nothing'.*train stage"):
        read_prediction(tmp_path, "gone")


def test_unreadable_files_are_named(tmp_path, labels):
    write_prediction(tmp_path, "cut", labels)
    whole = (tmp_path / "cut.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "void.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_text("no archive")
    spoilt = bytearray(whole)
    spoilt[60:90] = bytes(30)
    (tmp_path / "spoilt.npz").write_bytes(spoilt)
    np.savez_compressed(tmp_path / "other.npz", probabilities=labels)
    np.save(tmp_path / "plain.npy", labels)
    (tmp_path / "plain.npy").rename(tmp_path / "plain.npz")
    for case in ("cut", "void", "text", "spoilt", "other", "plain"):
        with pytest.raises(InputError, match=rf"{case}\.npz: content"):
            read_prediction(tmp_path, case)


def test_the_hash_covers_names_and_arrays_but_not_compression(tmp_path, labels):
    hashes = {}
    for name in ("a", "b", "renamed", "changed", "reshaped"):
        case = "other" if name == "renamed" else "case"
        values = labels.reshape(3, 6, 7) if name == "reshaped" else labels.copy()
        if name == "changed":
            values[0, 0, 0] ^= 1
        write_prediction(tmp_path / name, case, values)
        hashes[name] = hash_predictions(tmp_path / name)
    np.savez(tmp_path / "b" / "case.npz", labels=labels)
    assert hash_predictions(tmp_path / "b") == hashes["a"] == hashes["b"]
    assert len(set(hashes.values())) == 4


def test_a_folder_without_predictions_has_no_hash(tmp_path):
    with pytest.raises(InputError, match="at least one"):
        hash_predictions(tmp_path)
