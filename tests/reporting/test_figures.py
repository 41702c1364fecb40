from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
from skimage.color import rgb2lab
from support.case_frames import frame_of
from support.raw_cards import CARDS
from support.raw_files import prepare_raw

from mmseg_ext.analysis.measures import macro_cases
from mmseg_ext.reporting.figures import contact_sheet
from mmseg_ext.reporting.figures.case_view import shortened, surroundings
from mmseg_ext.reporting.figures.class_balance import commonest
from mmseg_ext.reporting.figures.contact_sheet import PANELS, class_colours, spread_out
from mmseg_ext.reporting.figures.differences import matrices
from mmseg_ext.reporting.figures.examples import METHODS_A_ROW, best_methods, representative
from mmseg_ext.reporting.figures.style import markers, palette


def test_worst_median_best():
    dsc = np.array([[0.5], [0.9], [0.7], [0.8], [0.6]])
    macro = macro_cases(frame_of({"a": dsc, "b": dsc}))
    assert representative(macro) == {"worst": "case_000", "median": "case_002", "best": "case_001"}
    one = macro_cases(frame_of({"a": dsc[:1]}))
    assert representative(one) == {"only case": "case_000"}
    two = macro_cases(frame_of({"a": dsc[:2]}))
    assert representative(two) == {"worst": "case_000", "best": "case_001"}
    assert representative(pd.DataFrame({"case": ["a"], "dsc": [np.nan]})) == {}


def test_window_holds_the_foreground_and_stays_inside():
    truth = np.zeros((100, 80), np.uint8)
    truth[90:100, 0:6] = 1
    rows, columns = surroundings(truth)
    assert truth[rows, columns].sum() == truth.sum()
    assert 0 <= rows.start < rows.stop <= 100
    assert 0 <= columns.start < columns.stop <= 80
    assert surroundings(np.zeros((8, 9))) == (slice(0, 8), slice(0, 9))


def test_long_case_names_are_shortened_in_the_middle():
    assert shortened("hippocampus_222") == "hippocampus_222"
    name = shortened("0123456789" * 6 + "abcd")
    assert len(name) <= 20
    assert name.startswith("0123456789…")
    assert name.endswith("abcd")


def test_methods_are_told_apart():
    methods = [f"m{index}" for index in range(25)]
    looks = {(palette(methods)[name], markers(methods)[name]) for name in methods}
    assert len(looks) == 25


def test_contact_sheet_spreads_over_the_amount_of_foreground():
    cases = [f"case_{index:02d}" for index in range(30)]
    rows = [(case, name, index if name == "organ" else 999) for index, case in enumerate(cases)
            for name in ("background", "organ")]  # fmt: skip
    chosen = spread_out(pd.DataFrame(rows, columns=["case", "class_name", "pixels"]), "background")
    assert len(chosen) == PANELS
    assert chosen == sorted(chosen)
    assert (chosen[0], chosen[-1]) == (cases[0], cases[-1])


def test_contact_sheet_of_few_cases_shows_all():
    frame = pd.DataFrame({"case": ["a", "b"], "class_name": "organ", "pixels": [5, 0]})
    assert spread_out(frame, "background") == ["b", "a"]


def test_contact_sheet_of_several_channels_shows_each(tmp_path):
    prepared = prepare_raw(CARDS["brats2018"], tmp_path / "source")
    inputs = SimpleNamespace(prepared=lambda dataset: prepared.root)
    drawing = contact_sheet.draw(inputs, tmp_path, "brats2018")
    assert drawing.caption.startswith("3 of 10 cases")
    text = drawing.svg.read_text()
    for channel in CARDS["brats2018"].channels:
        assert text.count(f", {channel}<") == 3


def test_every_class_has_its_colour():
    for count in (1, 5, 30):
        found = class_colours(range(3, 3 + count))
        assert list(found) == list(range(3, 3 + count))
        assert len(set(found.values())) == count


def test_colours_of_many_classes_are_far_apart():
    """A difference of 2.3 is just noticeable side by side; contours lie apart and are thin."""
    for count, least in ((8, 50), (28, 25), (60, 15)):
        colours = class_colours(range(count)).values()
        places = rgb2lab(np.array([mpl.colors.to_rgb(colour) for colour in colours])[None])[0]
        distances = np.linalg.norm(places[:, None] - places[None], axis=2)
        assert distances[~np.eye(count, dtype=bool)].min() > least


def test_class_balance_of_many_classes_shows_the_commonest():
    names = [f"c{index}" for index in range(5)]
    counts = {"train": [0, 3, 1, 1, 4], "val": [0, 0, 1, 1, 0]}
    rows = [(name, subset, n) for subset, column in counts.items() for name, n in zip(names, column, strict=True)]
    frame = pd.DataFrame(rows, columns=["class_name", "subset", "cases"])
    assert commonest(frame, 3) == ["c1", "c2", "c4"]
    assert commonest(frame, 9) == names


def test_examples_are_of_the_best_methods():
    macro = macro_cases(frame_of({f"m{index}": np.full((2, 1), 0.1 * index) for index in range(9)}))
    assert best_methods(macro) == [f"m{index}" for index in range(8, 8 - METHODS_A_ROW, -1)]


def test_differences_are_antisymmetric_and_the_best_method_is_first():
    pairs = pd.DataFrame({"a": ["x", "x"], "b": ["y", "z"], "difference": [0.02, -0.1], "separable": [False, True]})
    points, clear = matrices(pairs, ["y", "x", "z"])
    assert list(points.index) == list(points.columns) == list(clear.index) == ["z", "y", "x"]
    assert (points.loc["z", "x"], points.loc["x", "z"]) == (10.0, -10.0)
    assert (points.loc["y", "x"], points.loc["x", "y"]) == (-2.0, 2.0)
    assert np.isnan(points.loc["y", "z"])
    assert clear.loc["z", "x"]
    assert not clear.loc["x", "y"]
