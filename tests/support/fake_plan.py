"""The plan of a made-up suite: two tasks, three methods, two conditions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.paths import Paths

METHODS = {"unet_tiny": 0.30, "segformer_b0": 0.36, "transunet_tiny": 0.62}
"""Methods, best first, and how far their predictions are off."""
CONDITIONS = {"full": 1.0, "labels_25": 1.6}
TITLES = {"unet_tiny": "UNet (tiny)", "segformer_b0": "SegFormer-B0", "transunet_tiny": "TransUNet (tiny)"}
CLASSES = {
    "phantom_abdomen": ["background", "liver", "left_kidney", "spleen"],
    "phantom_lesion": ["background", "lesion"],
}
UNITS = {"phantom_abdomen": "mm", "phantom_lesion": "px"}
FAILED = RunId("supervised", "phantom_lesion", "transunet_tiny", "labels_25", 0)
SIZE = 64


@dataclass
class FakeSuite:
    """Where a fake suite lies, relative to its root."""

    root: Path
    suite: str = "fake"
    seeds: tuple[int, ...] = (0, 1, 2)
    runs: list[RunId] = field(default_factory=list)

    @property
    def paths(self) -> Paths:
        return Paths(self.root / "data", self.root / "results")

    @property
    def plan(self) -> Path:
        return self.paths.plan(self.suite)


def key_of(run: RunId) -> str:
    return hashlib.sha256(str(run).encode()).hexdigest()[:16]


def plan_of(suite: FakeSuite) -> dict[str, Any]:
    schedule = {"image_size": [SIZE, SIZE], "batch_size": 8, "iterations": 240}
    runs = {
        "tasks": list(CLASSES),
        "methods": list(METHODS),
        "conditions": list(CONDITIONS),
        "schedule": schedule,
    }
    relative = Paths()
    return {
        "suite": {
            "suite": suite.suite,
            "title": "Fake suite",
            "description": "Made up for tests.",
            "seeds": list(suite.seeds),
            "protocols": ["strict"],
            "tracks": {"supervised": runs},
            "bootstrap_samples": 400,
        },
        "protocols": {
            "strict": {
                "protocol": "strict",
                "title": "Ours, one for all tracks",
                "selection": "last",
                "inference": "plain",
                "scoring": "strict",
            }
        },
        "tracks": {
            "supervised": {
                "track": "supervised",
                "title": "Supervised architectures",
                "paper": {"title": "HiPerformer", "arxiv": "2509.20280"},
                "question": "Is the architecture better than the networks it was compared with?",
                "conditions": {
                    "full": {"title": "all training labels"},
                    "labels_25": {"title": "a quarter of the training patients", "label_fraction": 0.25},
                },
            }
        },
        "methods": {
            f"supervised/{name}": {
                "method": name,
                "title": title,
                "paper": {"title": f"The {title} paper"},
                "origin": "this project",
                "size": "tiny",
            }
            for name, title in TITLES.items()
        },
        "tasks": {
            task: {
                "title": task.replace("_", " ").capitalize(),
                "classes": CLASSES[task],
                "unit": UNITS[task],
                "nsd_tolerance": 2.0,
                "datasets": {
                    task: {
                        "title": task.replace("_", " ").capitalize(),
                        "modality": "simulated",
                        "licence": "CC0-1.0",
                        "access": "generated",
                        "homepage": None,
                        "citation": None,
                        "prepared": str(relative.prepared(task)),
                        "quality": str(relative.checks(task) / "quality.json"),
                    }
                },
            }
            for task in CLASSES
        },
        "runs": [
            {
                "run": str(run),
                "track": run.track,
                "task": run.task,
                "method": run.method,
                "condition": run.condition,
                "seed": run.seed,
                "key": key_of(run),
                "folder": str(relative.run(run)),
                "work": str(relative.work(key_of(run))),
                "schedule": schedule,
            }
            for run in suite.runs
        ],
        "controls": {task: str(relative.controls(task)) for task in CLASSES},
    }
