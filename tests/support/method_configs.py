"""Method configs with made-up facts in place of their placeholders."""

from pathlib import Path

from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.suite.run_key import method_config

CONFIGS = Path(__file__).parents[2] / "configs"


def resolved(file, classes, channels, size=32):
    """Return a method's config as if a run were planned."""
    facts = Facts(
        title="test", num_classes=classes, in_channels=channels, image_size=(size, size), fit="pad",
        mirrored_share=0.0, prepared={}, subset_file="", max_iters=10, measured_iters=[10], batch_size=2,
        precision="fp32", seed=0, num_workers=0, work_dir="",
    )  # fmt: skip
    return resolve(method_config(file), facts, file)
