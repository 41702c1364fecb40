"""What the sources of the data sets hold: a few generated items in the exact raw layout of each.

The paths here are written out as the sources have them, apart from the patterns on the cards that read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from mmseg_ext.suite.catalogue import catalogue


@dataclass(frozen=True)
class Items:
    """Cases of one part of a source; `{}` in a path is the case, `{slice}` the number of a slice from 1."""

    archive: str
    """File the images are in; empty for unpacked data."""
    image: str
    labels: Sequence[str]
    """Label files of a case; several hold one object each. None where the image's file holds the labels too."""
    cases: Sequence[str | int]
    label_archive: str | None = None
    """File the labels are in; by default that of the images."""


@dataclass(frozen=True)
class RawLayout:
    """A source: items of cases that count, and files that the card's converter has to leave alone."""

    items: Sequence[Items]
    images_alone: Sequence[tuple[str, str]] = ()
    """Archive and path of image files that are no labelled case."""
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    """Text files by archive and path."""
    sheets: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Excel sheets with a text for each of some images by archive and path."""


def numbered(pattern: str, numbers: Sequence[int]) -> list[str]:
    """Return names with a number each."""
    return [pattern.format(number) for number in numbers]


SYNAPSE_IDS = numbered("{:04d}", [*range(1, 11), *range(21, 41)])
TEN = range(1, 11)
BTCV = RawLayout(
    [Items("RawData.zip", "RawData/Training/img/img{}.nii.gz", ["RawData/Training/label/label{}.nii.gz"], SYNAPSE_IDS)],
    images_alone=[("RawData.zip", "RawData/Testing/img/img0061.nii.gz")],
)
SUPERCL_ACDC = [5, 10, 14, 21, 26, 29, 34, 36, 41, 43, 50, 52, 61, 64, 66, 70, 76, 79, 87, 89]


def one_zip(archive: str, image: str, label: str, cases: Sequence[str | int] = TEN) -> RawLayout:
    """Return the layout of a source with one archive and one label file a case."""
    return RawLayout([Items(archive, image, [label], cases)])


def msd(task: str, name: str, count: int) -> RawLayout:
    """Return the layout of a task of the Medical Segmentation Decathlon, with the hidden files of its archives."""
    archive = f"{task}.tar"
    cases = numbered(f"{name}_{{:03d}}", range(1, count + 1))
    return RawLayout(
        [Items(archive, f"{task}/imagesTr/{{}}.nii.gz", [f"{task}/labelsTr/{{}}.nii.gz"], cases)],
        images_alone=[(archive, f"{task}/imagesTs/{name}_900.nii.gz")],
        texts={(archive, f"{task}/imagesTr/._{cases[0]}.nii.gz"): "", (archive, f"{task}/dataset.json"): "{}"},
    )


def isic(parts: Sequence[tuple[str, str]], mask: str, counts: Sequence[int]) -> RawLayout:
    """Return the layout of an ISIC challenge: an archive of images and one of masks a part."""
    items, start = [], 0
    for (images, masks), count in zip(parts, counts, strict=True):
        cases = numbered("{:07d}", range(start, start + count))
        label = f"{masks}/ISIC_{{}}{mask}.png"
        items.append(Items(f"{images}.zip", f"{images}/ISIC_{{}}.jpg", [label], cases, f"{masks}.zip"))
        start += count
    first = parts[0][0]
    alone = [(f"{first}.zip", f"{first}/ISIC_0000000_superpixels.png")]
    return RawLayout(items, images_alone=alone, texts={(f"{first}.zip", f"{first}/LICENSE.txt"): "terms"})


def bundle_part(part: str, folder: str, cases: Sequence[str | int]) -> Items:
    """Return a folder of the PraNet bundle."""
    return Items(f"{part}.zip", f"{folder}/images/{{}}.png", [f"{folder}/masks/{{}}.png"], cases)


def bundle_test(name: str, cases: Sequence[str | int] = TEN) -> Items:
    """Return one of the five test sets of the PraNet bundle."""
    return bundle_part("TestDataset", f"TestDataset/{name}", cases)


ISIC2018 = [
    ("ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1_Training_GroundTruth"),
    ("ISIC2018_Task1-2_Validation_Input", "ISIC2018_Task1_Validation_GroundTruth"),
    ("ISIC2018_Task1-2_Test_Input", "ISIC2018_Task1_Test_GroundTruth"),
]
ISIC2017 = [
    ("ISIC-2017_Training_Data", "ISIC-2017_Training_Part1_GroundTruth"),
    ("ISIC-2017_Validation_Data", "ISIC-2017_Validation_Part1_GroundTruth"),
    ("ISIC-2017_Test_v2_Data", "ISIC-2017_Test_v2_Part1_GroundTruth"),
]
ISIC2016 = [
    ("ISBI2016_ISIC_Part1_Training_Data", "ISBI2016_ISIC_Part1_Training_GroundTruth"),
    ("ISBI2016_ISIC_Part1_Test_Data", "ISBI2016_ISIC_Part1_Test_GroundTruth"),
]
SUPERCL_ISIC = pd.read_csv(catalogue().root / "splits/isic2018_train/supercl.csv")["patient"].tolist()[:-1]
BRATS = "MICCAI_BraTS_2018_Data_Training"
BUNDLE_TEXTS = {("TrainDataset.zip", "TrainDataset/readme.txt"): "PraNet"}
VOC, SBD = "VOCtrainval_11-May-2012.tar", "benchmark.tgz"
VOC_ROOT = "VOCdevkit/VOC2012"
TCGA = numbered("TCGA-18-{:04d}-01Z-00-DX1", TEN)

LAYOUTS: dict[str, RawLayout] = {
    "synapse": BTCV,
    "btcv": BTCV,
    "acdc": RawLayout(
        [
            Items(
                "ACDC.zip",
                f"ACDC/database/training/{patient}/{{}}.nii.gz",
                [f"ACDC/database/training/{patient}/{{}}_gt.nii.gz"],
                [f"{patient}_frame01", f"{patient}_frame12"],
            )
            for patient in numbered("patient{:03d}", sorted([1, 2, 100, *SUPERCL_ACDC]))
        ],
        images_alone=[
            ("ACDC.zip", "ACDC/database/training/patient001/patient001_4d.nii.gz"),
            ("ACDC.zip", "ACDC/database/testing/patient101/patient101_frame01.nii.gz"),
        ],
        texts={("ACDC.zip", "ACDC/database/training/patient001/Info.cfg"): "ED: 1\nES: 12\n"},
    ),
    "amos22": RawLayout(
        [
            Items("amos22.zip", "amos22/imagesTr/{}.nii.gz", ["amos22/labelsTr/{}.nii.gz"], ["amos_0001", "amos_0004"]),
            Items("amos22.zip", "amos22/imagesVa/{}.nii.gz", ["amos22/labelsVa/{}.nii.gz"], ["amos_0008"]),
        ],
        images_alone=[
            ("amos22.zip", "amos22/imagesTr/amos_0507.nii.gz"),
            ("amos22.zip", "amos22/labelsTr/amos_0507.nii.gz"),
        ],
    ),
    "segthor": RawLayout(
        [Items("SegTHOR.zip", f"SegTHOR/{p}/{{}}.nii.gz", [f"SegTHOR/{p}/GT.nii.gz"], [p])
         for p in numbered("Patient_{:02d}", TEN)]
    ),
    "raos": one_zip("", "images/{}.nii.gz", "labels/{}.nii.gz"),
    "mmwhs": RawLayout([
        Items(f"{kind}.zip", f"{kind}/{{}}_image.nii.gz", [f"{kind}/{{}}_label.nii.gz"],
              numbered(f"{kind}_{{}}", range(1001, 1006)))
        for kind in ("ct_train", "mr_train")
    ]),
    "mmwhs_ct": one_zip("ct_train.zip", "ct_train/{}_image.nii.gz", "ct_train/{}_label.nii.gz",
                        numbered("ct_train_{}", range(1001, 1021))),
    "refuge": RawLayout([
        Items("", "train/images/{}.jpg", ["train/masks/{}.bmp"], ["g0001", "n0001"]),
        Items("", "val/images/{}.jpg", ["val/masks/{}.png"], ["V0001"]),
        Items("", "test/images/{}.jpg", ["test/masks/{}.bmp"], ["T0001"]),
    ]),
    "chase_db1": RawLayout(
        [Items("CHASEDB1.zip", "{}.jpg", ["{}_1stHO.png"],
               [f"Image_{i:02d}{eye}" for i in range(1, 7) for eye in "LR"])],
        images_alone=[("CHASEDB1.zip", "Image_01L_2ndHO.png")],
    ),
    "stare": RawLayout([Items("stare-images.tar", "{}.ppm.gz", ["{}.ah.ppm.gz"], numbered("im{:04d}", TEN),
                              "labels-ah.tar")]),
    "les_av": RawLayout(
        [Items("LES-AV.zip", "LES-AV/images/{}.png", ["LES-AV/vessel-segmentations/{}.png"], TEN)],
        images_alone=[("LES-AV.zip", "LES-AV/masks/1.png"), ("LES-AV.zip", "LES-AV/arteries-and-veins/1.png")],
    ),
    "chd68": one_zip("chd68.zip", "{}_image.nii.gz", "{}_label.nii.gz", numbered("ct_{}", range(1001, 1011))),
    "brats2018": RawLayout([
        Items(f"{BRATS}.zip", f"{BRATS}/{grade}/{{}}/{{}}_{{channel}}.nii.gz",
              [f"{BRATS}/{grade}/{{}}/{{}}_seg.nii.gz"], numbered(f"Brats18_{grade}_{{}}_1", range(5)))
        for grade in ("HGG", "LGG")
    ]),
    "kits19": RawLayout(
        [Items("kits19.zip", "data/{}/imaging.nii.gz", ["data/{}/segmentation.nii.gz"],
               numbered("case_{:05d}", range(10)))],
        images_alone=[("kits19.zip", "data/case_00210/imaging.nii.gz")],
    ),
    "hvsmr2016": one_zip("hvsmr2016.zip", "Training_dataset_sx_cropped/training_sa_crop_{}.nii.gz",
                         "Ground_truth/training_sa_crop_{}-label.nii.gz", numbered("pat{}", range(10))),
    "chaos": RawLayout(
        [Items("CHAOS_Train_Sets.zip", "Train_Sets/MR/{}/T2SPIR/DICOM_anon/IMG-0004-{slice:05d}.dcm",
               ["Train_Sets/MR/{}/T2SPIR/Ground/IMG-0004-{slice:05d}.png"], [1, 5, 20, 21, 32, 39])],
        images_alone=[("CHAOS_Train_Sets.zip", "Train_Sets/MR/1/T1DUAL/Ground/IMG-0004-00001.png")],
    ),
    "msd_heart": msd("Task02_Heart", "la", 20),
    "msd_hippocampus": msd("Task04_Hippocampus", "hippocampus", 20),
    "msd_hippocampus_supercl": msd("Task04_Hippocampus", "hippocampus", 260),
    "msd_spleen": msd("Task09_Spleen", "spleen", 41),
    "isic2016": isic(ISIC2016, "_Segmentation", [2, 1]),
    "isic2017": isic(ISIC2017, "_segmentation", [2, 1, 1]),
    "isic2017_val": isic(ISIC2017[1:2], "_segmentation", [10]),
    "isic2018": isic(ISIC2018, "_segmentation", [2, 1, 1]),
    "isic2018_train": RawLayout(
        [Items(f"{ISIC2018[0][0]}.zip", f"{ISIC2018[0][0]}/{{}}.jpg", [f"{ISIC2018[0][1]}/{{}}_segmentation.png"],
               ["ISIC_0000000", "ISIC_0000001", *SUPERCL_ISIC], f"{ISIC2018[0][1]}.zip")]
    ),
    "ph2": RawLayout(
        [Items("PH2Dataset.rar", "PH2 Dataset images/{}/{}_Dermoscopic_Image/{}.bmp",
               ["PH2 Dataset images/{}/{}_lesion/{}_lesion.bmp"], ["IMD002", "IMD003"])],
        images_alone=[("PH2Dataset.rar", "PH2 Dataset images/IMD002/IMD002_roi/IMD002_R1_Label3.bmp")],
    ),
    "kvasir_seg": one_zip("kvasir-seg.zip", "Kvasir-SEG/images/{}.jpg", "Kvasir-SEG/masks/{}.jpg",
                          numbered("cju{:03d}", TEN)),
    "cvc_clinicdb": one_zip("cvc_clinicdb.zip", "Original/{}.png", "Ground Truth/{}.png"),
    "polyp_kvasir": RawLayout(
        [bundle_part("TrainDataset", "TrainDataset", ["cju1", "cju2"]), bundle_test("Kvasir", ["cju3"])],
        images_alone=[("TrainDataset.zip", "TrainDataset/images/17.png"),
                      ("TestDataset.zip", "TestDataset/CVC-300/images/149.png")],
        texts=BUNDLE_TEXTS,
    ),
    "polyp_clinicdb": RawLayout(
        [bundle_part("TrainDataset", "TrainDataset", [17, 18]), bundle_test("CVC-ClinicDB", [19])],
        images_alone=[("TrainDataset.zip", "TrainDataset/images/cju1.png")],
        texts=BUNDLE_TEXTS,
    ),
    "cvc_colondb": RawLayout([bundle_test("CVC-ColonDB")]),
    "etis": RawLayout([bundle_test("ETIS-LaribPolypDB")]),
    "cvc_300": RawLayout([bundle_test("CVC-300")]),
    "mosmedplus": RawLayout(
        [
            Items("mosmedplus.zip", f"{part}_Folder/img/{{}}.png", [f"{part}_Folder/labelcol/{{}}.png"],
                  [f"Jun_{part}_1"])
            for part in ("Train", "Val", "Test")
        ],
        sheets={
            ("mosmedplus.zip", f"{part}_Folder/{part}_text.xlsx"): [f"Jun_{part}_1.png"]
            for part in ("Train", "Val", "Test")
        },
    ),
    "voc2012": RawLayout(
        [
            Items(VOC, f"{VOC_ROOT}/JPEGImages/{{}}.jpg", [f"{VOC_ROOT}/SegmentationClass/{{}}.png"],
                  ["2007_000032", "2007_000033"]),
            Items(VOC, f"{VOC_ROOT}/JPEGImages/{{}}.jpg", ["benchmark_RELEASE/dataset/cls/{}.mat"],
                  ["2008_000002"], SBD),
        ],
        images_alone=[(VOC, f"{VOC_ROOT}/JPEGImages/2008_000001.jpg"),
                      (VOC, f"{VOC_ROOT}/SegmentationObject/2007_000032.png"),
                      (SBD, "benchmark_RELEASE/dataset/img/2008_000002.jpg")],
        texts={(VOC, f"{VOC_ROOT}/ImageSets/Segmentation/val.txt"): "2007_000033\n"},
    ),
    "coco_stuff164k": RawLayout([
        Items(f"{part}.zip", f"{part}/{{}}.jpg", [f"{part}/{{}}.png"], [case], "stuffthingmaps_trainval2017.zip")
        for part, case in (("train2017", "000000000009"), ("val2017", "000000000139"))
    ]),
    "busi": RawLayout(
        [
            Items("Dataset_BUSI.zip", "Dataset_BUSI_with_GT/{}.png",
                  ["Dataset_BUSI_with_GT/{}_mask.png", "Dataset_BUSI_with_GT/{}_mask_1.png"],
                  [f"{kind}/{kind} ({i})" for kind in ("benign", "malignant") for i in range(1, 6)]),
        ],
        images_alone=[("Dataset_BUSI.zip", "Dataset_BUSI_with_GT/normal/normal (1).png"),
                      ("Dataset_BUSI.zip", "Dataset_BUSI_with_GT/normal/normal (1)_mask.png")],
    ),
    "tn3k": RawLayout([
        Items("tn3k.zip", f"Thyroid Dataset/tn3k/{part}-image/{{}}.jpg", [f"Thyroid Dataset/tn3k/{part}-mask/{{}}.jpg"],
              ["0000", "0001"])
        for part in ("trainval", "test")
    ]),
    "drive": RawLayout([
        Items(f"{part}.zip", f"{part}/images/{{}}_{part}.tif", [f"{part}/1st_manual/{{}}_manual1.gif"], cases)
        for part, cases in (("training", ["21", "22"]), ("test", ["01"]))
    ]),
    "monuseg": RawLayout([
        Items("monuseg_train.zip", "MoNuSeg 2018 Training Data/Tissue Images/{}.tif",
              ["MoNuSeg 2018 Training Data/Annotations/{}.xml"], TCGA[:2]),
        Items("monuseg_test.zip", "MoNuSegTestData/{}.tif", ["MoNuSegTestData/{}.xml"], TCGA[2:3]),
    ]),
    "dsb2018": one_zip("stage1_train.zip", "{}/images/{}.png", "{}/masks/a.png", numbered("{:064x}", TEN)),
    "promise12": one_zip("promise12.zip", "{}.mhd", "{}_segmentation.mhd", numbered("Case{:02d}", TEN)),
    "synapse_transunet": RawLayout([
        Items("synapse_transunet.zip", "train_npz/{}_slice{slice:03d}.npz", [], ["case0005", "case0006"]),
        Items("synapse_transunet.zip", "test_vol_h5/{}.npy.h5", [], ["case0001"]),
    ]),
    "isic2016_medsegbench": RawLayout([
        Items("isic2016_256.npz", f"{part}_images", [f"{part}_label"], range(2)) for part in ("train", "val", "test")
    ]),
    "ccp_clothing": RawLayout(
        [Items("clothing-co-parsing.zip", "clothing-co-parsing-master/photos/{}.jpg",
               ["clothing-co-parsing-master/annotations/pixel-level/{}.mat"], numbered("{:04d}", TEN))],
        images_alone=[("clothing-co-parsing.zip", "clothing-co-parsing-master/photos/1005.jpg")],
    ),
}  # fmt: skip
