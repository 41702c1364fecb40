import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from support.tiny_data import volume_card, write_volumes

from mmseg_ext.data.convert import itk_volumes, nifti_volumes
from mmseg_ext.suite.errors import InputError


def card(layout="itk_volumes"):
    return volume_card(layout={"layout": layout})


@pytest.fixture(params=["mhd", "mha", "nrrd"])
def root(request, tmp_path):
    """Return a folder with volumes of unusual axes as NIfTI and, written by ITK, in another format."""
    for path in write_volumes(tmp_path, cases=1, axes="PIR").rglob("*.nii.gz"):
        sitk.WriteImage(sitk.ReadImage(str(path)), str(path).replace("nii.gz", request.param))
    return tmp_path


def test_every_format_gives_the_slices_of_nifti(root):
    found = itk_volumes.find_pairs(card(), root).pairs
    case = itk_volumes.convert(found[0], card())
    nifti = nifti_volumes.find_pairs(card("nifti_volumes"), root).pairs
    expected = nifti_volumes.convert(nifti[0], card("nifti_volumes"))
    assert np.array_equal(case.images, expected.images)
    assert np.array_equal(case.labels, expected.labels)
    assert case.spacing == pytest.approx(expected.spacing)
    assert itk_volumes.count_bytes(found[0]) == nifti_volumes.count_bytes(nifti[0])


def test_affine_is_that_of_nifti(root):
    path = itk_volumes.find_pairs(card(), root).pairs[0].image
    assert np.allclose(itk_volumes.read_itk(path).affine, nib.load(root / "images/case_0.nii.gz").affine)


def test_damaged_files_are_refused(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\ntype: short\n")
    with pytest.raises(InputError, match="content"):
        itk_volumes.read_itk(tmp_path / "a.nrrd")
