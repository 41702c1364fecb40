"""Layouts: how the files of a source are put together to cases, one model a converter."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmseg_ext.suite.loading import StrictModel

Folder = Annotated[
    str | Annotated[list[str], Field(min_length=1)],
    Field(description="folder below the data's root; of a list, the first that exists"),
]
Millimetres = Annotated[float, Field(gt=0)]
PathPatterns = Annotated[list[str], Field(min_length=1)]


class _Cases(StrictModel):
    """What holds for the cases of every layout."""

    patient_pattern: str | None = None
    """Regular expression whose first group, found in the case name, is the patient; default: a case is a patient."""
    skip: dict[str, str] = {}
    """Case names known to be unusable, each with its reason; they are left out and listed on the card."""

    @property
    def is_volume(self) -> bool:
        """Whether a case is a stack of slices."""
        return True


class _CaseFiles(_Cases):
    """How files are put together to cases: by patterns of paths below the data's root.

    In a pattern `{case}` stands for the case name (every time the same), `{channel}` for the name of a channel,
    `{slice}` for the number of a slice, `{part}` for a part of the data whose name is put before the case name, `*`
    for any part of a name and `**/` for any folders. Where several patterns find files of one case, the first such
    pattern counts.
    """

    case_pattern: str = "[^/]+"
    """Regular expression a case name in the patterns of paths has to match as a whole."""


class FlatImages(_Cases):
    """A case is one image."""

    colour: Literal["rgb", "grey"] = "rgb"

    @property
    def is_volume(self) -> bool:
        """Whether a case is a stack of slices."""
        return False


class _PairedFiles(_CaseFiles):
    """Either the files of two folders are paired by name, or, where both patterns are given, by them."""

    image_files: PathPatterns | None = None
    label_files: PathPatterns | None = None
    labelled_only: bool = False
    """Whether images without a label file are left out instead of being an error."""

    @model_validator(mode="after")
    def _both_patterns(self) -> Self:
        if (self.image_files is None) != (self.label_files is None):
            raise ValueError("image_files and label_files together, found one of them")
        return self


class _VolumeFiles(_PairedFiles):
    images: Folder = "images"
    labels: Folder = "labels"
    image_suffix: str = ""
    """What follows the case name in an image's file name, before its ending (nnU-Net: `_0000`)."""
    label_suffix: str = ""
    slice_axis: Literal["sagittal", "coronal", "axial"] = "axial"
    """Direction the slices are stacked along, after reorientation to RAS+."""


class NiftiVolumes(_VolumeFiles):
    """Layout: one NIfTI label map per case and one NIfTI volume, or one for each channel."""

    layout: Literal["nifti_volumes"]


class ItkVolumes(_VolumeFiles):
    """Layout: as `nifti_volumes`, with MetaImage (.mha, .mhd) or NRRD (.nrrd) files."""

    layout: Literal["itk_volumes"]


class DicomSeries(_PairedFiles):
    """Layout: a DICOM series and a stack of label images (PNG) per case, paired slice by slice by file name."""

    layout: Literal["dicom_series"]
    image_files: PathPatterns
    label_files: PathPatterns
    slice_axis: Literal["sagittal", "coronal", "axial"] = "axial"


class TextSheets(StrictModel):
    """Tables with a text about each image: one row an image, the first row names the columns."""

    files: Annotated[list[Annotated[str, Field(pattern=r"\.(csv|xlsx)$")]], Field(min_length=1)]
    """Patterns of paths below the data's root, as `split` has them; each has to find at least one sheet."""
    image_column: str
    """Column with the image's file name, with or without folders and ending."""
    text_column: str


class ImageMaskPairs(FlatImages, _PairedFiles):
    """Layout: one image and one mask per case, paired by file name.

    Images are PNG, JPEG, TIFF, BMP, GIF or PPM files, also gzipped; masks these, MATLAB files or Aperio XML outlines.
    """

    layout: Literal["image_mask_pairs"]
    images: Folder = "images"
    masks: Folder = "masks"
    image_suffix: str = ""
    mask_suffix: str = ""
    """What follows the case name in a mask's file name before its ending (ISIC: `_segmentation`)."""
    binarise_at: Annotated[int | None, Field(ge=1, le=255)] = None
    """Mask values at or above this become 255 and others 0; for masks stored with a lossy codec."""
    merge_masks: bool = False
    """Whether a case may have several masks, one an object; the largest value of a pixel counts."""
    mask_variable: str | None = None
    """Variable of a MATLAB file that holds the labels; fields of a structure are named with dots."""
    captions: bool = False
    """Whether beside each image lies its caption, a text file of the same stem with the ending `.txt`, in UTF-8."""
    texts: TextSheets | None = None
    """Sheets with a text about each image; of an Excel file the first sheet counts."""
    maps: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]] = []
    """Folders beside that of the images with a further 8-bit map `<case>.png` each; kept in the prepared form."""

    @model_validator(mode="after")
    def _one_source_of_texts(self) -> Self:
        if self.captions and self.texts is not None:
            raise ValueError("captions or texts, found both")
        return self


class ArrayFiles(_CaseFiles):
    """Layout: HDF5 or NPZ files that each hold an image and its label map as arrays.

    A file holds a case; or, where the pattern has `{slice}`, one slice of a volume.
    """

    layout: Literal["array_files"]
    image_files: PathPatterns
    image_array: str = "image"
    """Name of the array with the image: (H, W), or (slices, H, W) of volumes, or (H, W, 3) of colour images."""
    label_array: str = "label"
    volumes: bool
    """Whether a case is a stack of slices."""
    spacing: tuple[Millimetres, Millimetres, Millimetres] | None = None
    """mm between slices, rows and columns of all cases, which such files do not hold themselves."""

    @property
    def is_volume(self) -> bool:
        """Whether a case is a stack of slices."""
        return self.volumes


class ArrayPart(StrictModel):
    """Two arrays of equal length in one file."""

    images: str
    """Name of the array with the images: (N, H, W), or (N, H, W, 3)."""
    labels: str
    """Name of the array with their label maps: (N, H, W)."""


class ArrayStacks(FlatImages):
    """Layout: one HDF5 or NPZ file that holds all images of a data set, stacked in arrays (MedSegBench).

    A case is named by its array and its place in it: `train_images_00017`; for a split by paths its path is
    `<file>/train_images/00017`.
    """

    layout: Literal["array_stacks"]
    file: str
    """The file, below the data's root."""
    parts: Annotated[list[ArrayPart], Field(min_length=1)]


class RunLengthMasks(FlatImages, _CaseFiles):
    """Layout: images, and one table with the masks of all of them as run lengths or polygons.

    A .csv table has a row an object: the image, and `start length` pairs of pixels counted from 1 down the columns. A
    .json table is COCO's, whose segmentations are polygons or run lengths; the label value is the category, from 1. A
    pixel belongs to a polygon if its centre lies inside or on it; the polygons of an object are united. Crowd regions
    count as any object of their category.
    """

    layout: Literal["run_length_masks"]
    image_files: PathPatterns
    table: str
    """The table, below the data's root."""
    case_column: str = "ImageId"
    runs_column: str = "EncodedPixels"
    value_column: str | None = None
    """Column with an object's label value; by default all have 255. Where objects overlap, the larger counts."""


Layout = Annotated[
    NiftiVolumes | ItkVolumes | DicomSeries | ImageMaskPairs | ArrayFiles | ArrayStacks | RunLengthMasks,
    Field(discriminator="layout"),
]
