import itertools

import nibabel as nib
import numpy as np
import pytest
from support.tiny_data import volume_card, write_nifti, write_volumes

from mmseg_ext.data.convert import nifti_volumes
from mmseg_ext.data.convert.pairing import Pair
from mmseg_ext.suite.errors import InputError

AXES = ["".join(code) for order in itertools.permutations(("RL", "AP", "SI")) for code in itertools.product(*order)]


@pytest.fixture
def labels():
    return np.random.default_rng(0).integers(0, 5, (4, 5, 6)).astype(np.uint8)


def tilted():
    """An affine of unequal voxels, turned by 15 degrees."""
    angle = np.deg2rad(15)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([2.0, 3.0, 5.0])
    affine[:3, 3] = (-7, 11, 4)
    return affine


@pytest.mark.parametrize("slice_axis", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("axes", AXES)
def test_restore_undoes_read_for_all_48_orders_of_axes(tmp_path, labels, axes, slice_axis):
    path = write_nifti(tmp_path / "a.nii", labels, tilted(), axes)
    volume = nifti_volumes.read_volume(path, slice_axis)
    restored, original = volume.restore(volume.values), nib.load(path)
    assert np.array_equal(np.asarray(restored.dataobj), np.asarray(original.dataobj))
    assert np.allclose(restored.affine, original.affine, atol=1e-5)
    assert restored.get_data_dtype() == np.uint8
    assert restored.header["sform_code"] == original.header["sform_code"]


@pytest.mark.parametrize("axes", AXES)
def test_slices_do_not_depend_on_the_stored_axes(tmp_path, labels, axes):
    volume = nifti_volumes.read_volume(write_nifti(tmp_path / "a.nii", labels, axes=axes))
    assert volume.spacing == pytest.approx((5, 3, 2))
    assert np.array_equal(volume.values, labels[::-1, ::-1].transpose(2, 1, 0))


def test_axial_slice_has_front_up_and_patients_right_on_the_left(tmp_path):
    values = np.zeros((4, 5, 6), np.int16)
    values[3, 4, 5] = 1  # right, front, top
    volume = nifti_volumes.read_volume(write_nifti(tmp_path / "a.nii", values))
    assert np.argwhere(volume.values).tolist() == [[5, 0, 0]]


@pytest.mark.parametrize(("slice_axis", "spacing"), [("coronal", (3, 5, 2)), ("sagittal", (2, 5, 3))])
def test_other_slice_axes_have_the_head_up(tmp_path, slice_axis, spacing):
    values = np.zeros((4, 5, 6), np.int16)
    values[:, :, 5] = 1
    volume = nifti_volumes.read_volume(write_nifti(tmp_path / "a.nii", values), slice_axis)
    assert volume.spacing == pytest.approx(spacing)
    assert volume.values[:, 0].all()
    assert not volume.values[:, 1:].any()


def test_restore_refuses_another_shape(tmp_path, labels):
    volume = nifti_volumes.read_volume(write_nifti(tmp_path / "a.nii", labels))
    with pytest.raises(ValueError, match="shape"):
        volume.restore(np.zeros((1, 2, 3), np.uint8))


def convert(root, case="case_0", **changes):
    pair = Pair(case, case, root / f"images/{case}.nii.gz", root / f"labels/{case}.nii.gz")
    return nifti_volumes.convert(pair, volume_card(**changes))


def test_whole_numbers_are_kept_exactly(tmp_path):
    root = write_volumes(tmp_path)
    case = convert(root)
    values = nifti_volumes.read_volume(root / "images/case_0.nii.gz").values
    assert case.images.dtype == np.uint16
    assert np.array_equal(case.images * case.slope + case.intercept, values)
    assert (case.low, case.high) == (-100, 200)
    assert case.labels.max() == 1


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_wide_ranges_are_rounded_to_16_bits(tmp_path, dtype):
    root = write_volumes(tmp_path)
    values = (np.random.default_rng(1).normal(0, 1, (6, 7, 4)) * 1e6).astype(dtype)
    write_nifti(root / "images/case_0.nii.gz", values)
    case = convert(root)
    back = (case.images * case.slope + case.intercept)[:, ::-1, ::-1].transpose(2, 1, 0)
    assert np.abs(back - values).max() <= np.ptp(values.astype(float)) / 65535 * 0.51


def test_scaled_files_give_physical_values(tmp_path):
    root = write_volumes(tmp_path)
    path = root / "images/case_0.nii.gz"
    source = nib.load(path)
    image = nib.Nifti1Image(np.asarray(source.dataobj), source.affine)
    image.header.set_slope_inter(0.5, -1024)
    nib.save(image, path)
    expected = nib.load(path).get_fdata()
    case = convert(root)
    back = (case.images * case.slope + case.intercept)[:, ::-1, ::-1].transpose(2, 1, 0)
    assert back == pytest.approx(expected, abs=1e-3)


def test_percentiles_are_taken_of_physical_values(tmp_path):
    root = write_volumes(tmp_path)
    case = convert(root, intensity={"mode": "percentiles", "low": 0, "high": 100})
    physical = case.images * case.slope + case.intercept
    assert (case.low, case.high) == (physical.min(), physical.max())


def test_bytes_are_counted_without_reading(tmp_path):
    root = write_volumes(tmp_path)
    pairs = nifti_volumes.find_pairs(volume_card(), root).pairs
    assert nifti_volumes.count_bytes(pairs[0]) == 3 * 6 * 7 * 4


@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
@pytest.mark.parametrize("kept", [0.6, 0.02])
def test_truncated_files_are_refused(tmp_path, labels, ending, kept):
    path = write_nifti(tmp_path / f"a.{ending}", np.random.default_rng(0).normal(size=(20, 20, 20)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match="content") as caught:
        nifti_volumes.read_volume(path)
    assert caught.value.file == str(path)


def test_a_file_that_is_no_nifti_is_refused(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"hello" * 100)
    with pytest.raises(InputError, match="NIfTI"):
        nifti_volumes.read_volume(tmp_path / "a.nii")


def test_four_dimensions_are_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((3, 4, 5, 2), np.int16), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(InputError, match=r"dimensions.*three-dimensional"):
        nifti_volumes.read_volume(tmp_path / "a.nii")


def test_values_that_are_not_finite_are_refused(tmp_path):
    values = np.zeros((3, 4, 5), np.float32)
    values[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="finite"):
        nifti_volumes.read_volume(write_nifti(tmp_path / "a.nii", values))


def test_complex_values_are_refused(tmp_path):
    with pytest.raises(InputError, match="real numbers"):
        nifti_volumes.read_volume(write_nifti(tmp_path / "a.nii", np.zeros((3, 4, 5), np.complex64)))


def test_a_flat_affine_is_refused(tmp_path):
    affine = np.diag([1.0, 1.0, 0.0, 1.0])
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), np.eye(4))
    image.header["sform_code"] = 1
    for row, name in enumerate(("srow_x", "srow_y", "srow_z")):
        image.header[name] = affine[row]
    (tmp_path / "a.nii").write_bytes(image.header.binaryblock + bytes(4) + bytes(2 * 3 * 4 * 5))
    with pytest.raises(InputError, match="affine"):
        nifti_volumes.read_volume(tmp_path / "a.nii")


def test_shapes_must_agree(tmp_path):
    root = write_volumes(tmp_path)
    write_nifti(root / "labels/case_0.nii.gz", np.zeros((6, 7, 5), np.uint8))
    with pytest.raises(InputError, match=r"shape.*\(6, 7, 4\)"):
        convert(root)


@pytest.mark.parametrize(("shift", "refused"), [(1.0, True), (0.01, False)])
def test_affines_must_agree(tmp_path, shift, refused):
    root = write_volumes(tmp_path)
    affine = np.diag([2.0, 3.0, 5.0, 1.0])
    affine[0, 3] = shift
    write_nifti(root / "labels/case_0.nii.gz", np.ones((6, 7, 4), np.uint8), affine)
    if not refused:
        assert convert(root).labels.all()
        return
    with pytest.raises(InputError, match=r"affine.*1 mm"):
        convert(root)


@pytest.mark.parametrize(("value", "message"), [(3, "declares"), (0.5, "whole")])
def test_label_values_are_checked(tmp_path, value, message):
    root = write_volumes(tmp_path)
    labels = np.zeros((6, 7, 4), np.float32)
    labels[1, 1, 1] = value
    write_nifti(root / "labels/case_0.nii.gz", labels)
    with pytest.raises(InputError, match=message):
        convert(root)


def test_every_channel_has_its_own_limits(tmp_path):
    shape = (4, 5, 3)
    ramp = np.arange(60).reshape(shape)
    write_nifti(tmp_path / "p/p_t1.nii", ramp.astype(np.int16))
    write_nifti(tmp_path / "p/p_t2.nii", (1000 * ramp).astype(np.int32))
    write_nifti(tmp_path / "p/p_seg.nii", np.ones(shape, np.uint8))
    layout = {"layout": "nifti_volumes", "image_files": ["{case}/{case}_{channel}.nii"]}
    card = volume_card(
        layout={**layout, "label_files": ["{case}/{case}_seg.nii"], "case_pattern": "[a-z]"},
        channels=["t1", "t2"],
        intensity={"mode": "percentiles", "low": 0, "high": 100},
    )
    case = nifti_volumes.convert(nifti_volumes.find_pairs(card, tmp_path).pairs[0], card)
    assert case.images.shape == (3, 5, 4, 2)
    assert case.images.dtype == np.uint16
    assert np.array_equal(case.images[..., 0], case.images[..., 1])
    assert (case.images.min(), case.images.max(), case.slope * 65535, case.high) == (0, 65535, 1, 1)
