"""MMEngine registries of the scope `mmseg_ext`, and the import of just the components a config names.

MMEngine imports this very module when a config sets `default_scope = "mmseg_ext"`. A name that is not ours is looked up
in the parent: MMSegmentation for models, MMEngine for everything else.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from mmseg.registry import MODELS as MMSEG_MODELS
from torch import nn

from mmseg_ext.suite.components import used_components

SCOPE = "mmseg_ext"

# mmcv warns about each compiled operator it was built without; nothing here uses one.
warnings.filterwarnings("ignore", message="Fail to import ``MultiScaleDeformableAttention``")


def _child(parent: Registry) -> Registry:
    return Registry(parent.name, parent=parent, scope=SCOPE)


MODELS = _child(MMSEG_MODELS)
DATASETS = _child(mmengine_registry.DATASETS)
DATA_SAMPLERS = _child(mmengine_registry.DATA_SAMPLERS)
FUNCTIONS = _child(mmengine_registry.FUNCTIONS)
HOOKS = _child(mmengine_registry.HOOKS)
LOG_PROCESSORS = _child(mmengine_registry.LOG_PROCESSORS)
LOOPS = _child(mmengine_registry.LOOPS)
MODEL_WRAPPERS = _child(mmengine_registry.MODEL_WRAPPERS)
OPTIM_WRAPPERS = _child(mmengine_registry.OPTIM_WRAPPERS)
OPTIM_WRAPPER_CONSTRUCTORS = _child(mmengine_registry.OPTIM_WRAPPER_CONSTRUCTORS)
OPTIMIZERS = _child(mmengine_registry.OPTIMIZERS)
PARADIGMS = Registry("training paradigm", scope=SCOPE)
PARAM_SCHEDULERS = _child(mmengine_registry.PARAM_SCHEDULERS)
TRANSFORMS = _child(mmengine_registry.TRANSFORMS)
VIEWS = Registry("views of pre-training", scope=SCOPE)
VISBACKENDS = _child(mmengine_registry.VISBACKENDS)
VISUALIZERS = _child(mmengine_registry.VISUALIZERS)
WEIGHT_INITIALIZERS = _child(mmengine_registry.WEIGHT_INITIALIZERS)


def import_components(config: object) -> None:
    """Import the modules of the package that register what `config` names in its `type` keys, and no others."""
    for component in used_components(config):
        import_module(component.module)


def build_model(config: Mapping[str, Any]) -> nn.Module:
    """Build a network from the `model` part of a config, outside a Runner; its weights are not yet initialised."""
    import_components(config)
    return MODELS.build({**copy.deepcopy(dict(config)), "_scope_": SCOPE})
