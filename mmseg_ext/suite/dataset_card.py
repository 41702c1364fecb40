"""The data set card: where a data set comes from, what is in it, how it becomes the prepared form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmseg_ext.suite.layouts import FlatImages, Layout
from mmseg_ext.suite.loading import StrictModel

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="lower_snake_case identifier")]
Subset = Literal["train", "val", "test"]


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
InnerArchives = Annotated[
    list[str],
    Field(description="patterns of paths of archives among the unpacked files, to be unpacked where they lie"),
]


class Licence(StrictModel):
    """Terms of use."""

    name: str
    """SPDX identifier where one exists, else the name the source uses, or `unknown`."""
    redistribution: bool | None = None
    """Whether the data may be passed on; null where the terms are unknown."""
    url: str | None = None


class RemoteFile(StrictModel):
    """One file to download."""

    filename: str
    """Name under which it is stored, and looked up in a mirror folder."""
    urls: Annotated[list[str], Field(min_length=1)]
    """Addresses in the order in which they are tried."""
    sha256: Sha256 | None = None
    md5: Annotated[str | None, Field(pattern=r"^[0-9a-f]{32}$")] = None
    bytes: Annotated[int | None, Field(gt=0)] = None


class OpenAccess(StrictModel):
    """Anyone may download the files."""

    access: Literal["open"]
    files: Annotated[list[RemoteFile], Field(min_length=1)]
    inner_archives: InnerArchives = []


class ManualAccess(StrictModel):
    """A person has to sign up or fill in a form, then place the files."""

    access: Literal["manual"]
    instructions: str
    """What to do, in order, and which file to put where."""
    filenames: Annotated[list[str], Field(min_length=1)]
    sha256: dict[str, Sha256] = {}
    """Checksums by file name, where they are known; other files are held to the first ones that were placed."""
    inner_archives: InnerArchives = []

    @model_validator(mode="after")
    def _known_files(self) -> Self:
        if unknown := sorted(self.sha256.keys() - set(self.filenames)):
            raise ValueError(f"checksums of files in filenames, found one of {unknown[0]!r}")
        return self


class LocalAccess(StrictModel):
    """The unpacked data already lie on this machine."""

    access: Literal["local"]
    path: Path | None = None
    """Folder of the unpacked data, absolute or relative to the repository. Null: only `--config local_data=DIR`."""


class GeneratedAccess(StrictModel):
    """The data are made by a generator of `mmseg_ext.data.phantoms`."""

    access: Literal["generated"]
    generator: Name
    items: dict[Subset, Annotated[int, Field(gt=0)]]
    """Patients (or images) per subset."""
    seed: Annotated[int, Field(ge=0)] = 0


Access = Annotated[OpenAccess | ManualAccess | LocalAccess | GeneratedAccess, Field(discriminator="access")]


class ClassSpec(StrictModel):
    """One class of the label space; its position in the list is its id in prepared labels, background first."""

    name: Name
    values: Annotated[list[int], Field(min_length=1)]
    """Values in the source's label files that mean this class."""


class Window(StrictModel):
    """Fixed intensity window in the unit of the data (HU for CT); also 0 to 255 for photographs."""

    mode: Literal["window"]
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if not self.low < self.high:
            raise ValueError(f"low < high, found low {self.low} and high {self.high}")
        return self


class Percentiles(StrictModel):
    """Intensity window between two percentiles of each case, for data without a unit (MRI)."""

    mode: Literal["percentiles"]
    low: Annotated[float, Field(ge=0, lt=100)] = 0.5
    high: Annotated[float, Field(gt=0, le=100)] = 99.5


Intensity = Annotated[Window | Percentiles, Field(discriminator="mode")]


class SplitFile(StrictModel):
    """A committed split: `configs/splits/<dataset>/<name>.csv`.

    Its columns are case, patient, subset; or patient, subset; or position, subset, where a position counts the cases
    in the order of their names from 0. In the last two a row named `*` gives the subset of all others.
    """

    kind: Literal["file"]
    name: Name


class PathSplit(StrictModel):
    """A split the source makes by its folders or file names: patterns of image paths below the data's root."""

    kind: Literal["paths"]
    train: list[str] = []
    val: list[str] = []
    test: list[str] = []


class ListSplit(StrictModel):
    """A split the source gives as text files, one case name a line; the files are named below the data's root."""

    kind: Literal["lists"]
    train: list[str] = []
    val: list[str] = []
    test: list[str] = []
    rest: Subset
    """Subset of the cases that no list names."""


class DerivedSplit(StrictModel):
    """A split drawn by patient with a fixed seed, for data whose cases are not known beforehand."""

    kind: Literal["derived"]
    train: Annotated[float, Field(gt=0, lt=1)]
    val: Annotated[float, Field(ge=0, lt=1)]
    test: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _whole(self) -> DerivedSplit:
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"fractions train + val + test that add up to 1, found {total:g}")
        return self


Split = Annotated[SplitFile | PathSplit | ListSplit | DerivedSplit, Field(discriminator="kind")]


class DatasetCard(StrictModel):
    """One data set: access, licence, classes, layout, splits, citation."""

    dataset: Name
    title: str
    description: str = ""
    homepage: str | None = None
    citation: str | None = None
    modality: str
    """What made the images, in words: CT, MRI, dermoscopy, microscopy…"""
    licence: Licence
    source: Access
    layout: Layout
    channels: Annotated[list[str], Field(min_length=1)]
    """Names of the input channels: one for grey data, three for RGB."""
    classes: Annotated[list[ClassSpec], Field(min_length=2)]
    other_values: Literal["refuse", "background"] = "refuse"
    """What becomes of label values that no class declares: an error, or background."""
    ignored_values: list[int] = []
    """Label values of pixels that count neither in training nor in evaluation; they are stored as 255."""
    intensity: Intensity
    fit: Literal["pad", "resize"] = "resize"
    """How a slice of any size becomes the network's input size: centred padding and cropping, or resizing."""
    unit: Literal["mm", "px"]
    """Unit of distances: mm where the source gives the spacing."""
    split: Split
    counts: dict[Literal["all", "train", "val", "test"], Annotated[int, Field(gt=0)]] = {}
    """Cases that the whole data set has, in all or by subset, where they are known."""
    nsd_tolerance: Annotated[float, Field(gt=0)] = 2.0
    """Tolerance of the normalised surface distance, in `unit`."""
    real_cases_converted: Annotated[int, Field(ge=0)] = 0
    """Cases of the source's own files with which the conversion was tried; with generated files it always is."""

    @model_validator(mode="after")
    def _consistent(self) -> DatasetCard:
        names = [spec.name for spec in self.classes]
        if len(set(names)) != len(names):
            raise ValueError(f"class names that differ, found {names}")
        values = [value for spec in self.classes for value in spec.values] + self.ignored_values
        if len(set(values)) != len(values):
            raise ValueError(f"every label value under one class, found {values}")
        if isinstance(self.layout, FlatImages) and len(self.channels) != {"rgb": 3, "grey": 1}[self.layout.colour]:
            raise ValueError(f"as many channels as colour {self.layout.colour!r} has, found {self.channels}")
        if self.is_volume and len(self.channels) != 1:
            patterns = getattr(self.layout, "image_files", None) or []
            if not patterns or not all("{channel}" in pattern for pattern in patterns):
                raise ValueError(f"one channel, or {{channel}} in layout.image_files, found {self.channels}")
        return self

    @property
    def class_names(self) -> list[str]:
        """Class names by prepared id, background first."""
        return [spec.name for spec in self.classes]

    @property
    def is_volume(self) -> bool:
        """Whether a case is a stack of slices."""
        return self.layout.is_volume
