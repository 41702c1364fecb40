"""A pre-training small enough for seconds, on the data of `TinyRun`."""

from __future__ import annotations

from support.tiny_run import METHOD_CARD, TinyRun

from mmseg_ext.suite.need import Need
from mmseg_ext.suite.pretrain_settings import PretrainSettings
from mmseg_ext.suite.stages.pretraining import pretraining_need

METHOD = """
_base_ = ["../pretraining/{base}.py"]
model = dict(
    stride=4,
    backbone=dict(widths=(4, 6, 8)),
    neck=dict(widths=(4, 6, 8)),
    decode_head=dict(in_channels=4),
)
"""
MAPS = """
pretraining = dict(superpixels=dict(segments=16), model=dict(stride=1))
"""


class TinyPretraining(TinyRun):
    """Data and configs of tiny pre-trainings in a folder; the methods are `nano_simclr` and `nano_supercl`."""

    def __init__(self, folder):
        super().__init__(folder)
        for base, more in {"simclr": "", "supercl_precomputed": MAPS, "scratch_same_budget": ""}.items():
            name = f"nano_{base}"
            if (folder / f"configs/methods/pretraining/{base}.py").is_file():
                self.write_config(f"methods/supervised/{name}.py", METHOD.format(base=base) + more)
                self.write_config(f"methods/supervised/{name}.yaml", METHOD_CARD.replace("nano", name))

    def settings(self, method="nano_simclr", **changes) -> PretrainSettings:
        """Eight steps on the training and validation patients, or other settings."""
        schedule = {"image_size": (32, 32), "batch_size": 4, "iterations": 8, "validations": 4}
        schedule |= {name: changes.pop(name) for name in list(changes) if name in (*schedule, "epochs")}
        parts = [{"dataset": "boxes", "subset": subset} for subset in ("train", "val")]
        given = {"track": "supervised", "method": method, "source": "boxes", "parts": parts, "seed": 3, **changes}
        return PretrainSettings.model_validate({**given, "schedule": schedule})

    def need(self, settings, results="results") -> Need:
        """What the stage makes."""
        return pretraining_need(settings, self.catalogue, self.paths(results))

    def pretrain(self, results="results", **changes):
        """Pre-train, or continue, and return the result folder."""
        from mmseg_ext.engine.pretrain import pretrain

        settings = self.settings(**changes)
        need = self.need(settings, results)
        pretrain(settings, need, self.catalogue, self.paths(results), 1)
        return need.folder
