import pytest
from support.tiny_data import pair_card

from mmseg_ext.data.convert.pairing import pair_by_pattern
from mmseg_ext.data.convert.path_patterns import list_files, match_files, to_regex
from mmseg_ext.suite.errors import InputError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("pattern", "path", "case"),
    [
        ("img/{case}.png", "img/a.png", "a"),
        ("img/{case}.png", "img/a.b.png", "a.b"),
        ("img/{case}.png", "img/sub/a.png", None),
        ("img/{case}.png", "img/aXpng", None),
        ("**/{case}/{case}_x.png", "a/b/c/c_x.png", "c"),
        ("**/{case}/{case}_x.png", "c/c_x.png", "c"),
        ("**/{case}/{case}_x.png", "c/d_x.png", None),
        ("*/{case}.png", "any/a.png", "a"),
    ],
)
def test_patterns_name_the_case(pattern, path, case):
    match = to_regex(pattern, "[^/]+").fullmatch(path)
    assert (match["case"] if match else None) == case


def test_a_pattern_needs_a_case():
    with pytest.raises(InputError, match="case"):
        to_regex("images/*.png", "[^/]+")


def test_an_invalid_case_pattern_is_named():
    with pytest.raises(InputError, match="case_pattern"):
        to_regex("{case}.png", "(")


def test_hidden_files_are_not_listed(tmp_path):
    touch(tmp_path, "a.png", "._a.png", ".git/b.png", "__MACOSX/c.png", "d/e.png")
    assert list_files(tmp_path) == ["a.png", "d/e.png"]


def test_the_first_pattern_that_finds_a_case_counts(tmp_path):
    files = list_files(touch(tmp_path, "good/a.png", "other/a.mat", "other/b.mat"))
    found = match_files(tmp_path, files, ["good/{case}.png", "other/{case}.mat"], "[^/]+")
    assert found == {"a": [tmp_path / "good/a.png"], "b": [tmp_path / "other/b.mat"]}


def test_channels_come_in_the_order_of_the_card(tmp_path):
    files = list_files(touch(tmp_path, "p/p_t1.nii", "p/p_flair.nii", "p/p_seg.nii"))
    found = match_files(tmp_path, files, ["{case}/{case}_{channel}.nii"], "[^/]+", ["t1", "flair"])
    assert [path.name for path in found["p"]] == ["p_t1.nii", "p_flair.nii"]


def layout(**changes):
    patterns = {"image_files": ["img/{case}.png"], "label_files": ["lab/{case}_*.png"]}
    return pair_card(layout={"layout": "image_mask_pairs", **patterns, **changes})


def test_pairs_hold_all_masks_of_a_case(tmp_path):
    touch(tmp_path, "img/a.png", "lab/a_1.png", "lab/a_2.png")
    pair = pair_by_pattern(layout(case_pattern="[a-z]"), tmp_path, one_label=False).pairs[0]
    assert [path.name for path in pair.labels] == ["a_1.png", "a_2.png"]
    with pytest.raises(InputError, match=r"files of case a"):
        pair_by_pattern(layout(case_pattern="[a-z]"), tmp_path)


def test_images_without_labels_are_left_out_only_where_the_card_says_so(tmp_path):
    touch(tmp_path, "img/a.png", "img/b.png", "lab/a_1.png")
    with pytest.raises(InputError, match="case: found 'b'"):
        pair_by_pattern(layout(), tmp_path)
    assert [pair.case for pair in pair_by_pattern(layout(labelled_only=True), tmp_path).pairs] == ["a"]
    skipped = pair_by_pattern(layout(skip={"b": "blurred"}), tmp_path)
    assert (len(skipped.pairs), skipped.skipped) == (1, {"b": "blurred"})


def test_labels_without_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="case: found 'b'"):
        pair_by_pattern(layout(), touch(tmp_path, "img/a.png", "lab/a_1.png", "lab/b_1.png"))


def test_nothing_found_names_the_patterns(tmp_path):
    with pytest.raises(InputError, match=r"img/\{case\}\.png"):
        pair_by_pattern(layout(), tmp_path)


def test_the_part_is_put_before_the_case(tmp_path):
    files = list_files(touch(tmp_path, "train-image/1.png", "test-image/1.png"))
    assert sorted(match_files(tmp_path, files, ["{part}-image/{case}.png"], "[0-9]")) == ["test_1", "train_1"]
