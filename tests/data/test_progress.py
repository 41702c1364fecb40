"""What a training without a terminal prints."""

from mmseg_ext.data.progress import LINES, TrainingProgress


def steps(total, first, capfd):
    asked = []
    with TrainingProgress("net", total, first) as bar:
        for step in range(first, total):
            bar.step(step + 1, lambda step=step: asked.append(step) or f"loss {step}")
    return capfd.readouterr().err.splitlines(), asked


def test_a_long_training_prints_a_few_lines_and_the_last_step(capfd):
    lines, asked = steps(35, 0, capfd)
    assert len(lines) == len(asked) == LINES
    assert lines[0].startswith("net: 4/35 loss 3, ")
    assert lines[-1] == "net: 35/35 loss 34, 0 s left"


def test_a_short_training_prints_every_step(capfd):
    lines, _ = steps(3, 0, capfd)
    assert [line.split(",")[0] for line in lines] == ["net: 1/3 loss 0", "net: 2/3 loss 1", "net: 3/3 loss 2"]


def test_a_continued_training_says_where_it_begins(capfd):
    lines, _ = steps(20, 16, capfd)
    assert lines[0] == "net: resumed after step 16"
    assert [line.split(" ")[1] for line in lines[1:]] == ["18/20", "20/20"]
