"""What all heads that know classes by name have in common."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule

from mmseg_ext.models.vision_language.text_bank import TextBank


class NamedClassesHead(BaseModule):
    """A decode head with the texts of the classes, `text`; derived classes set `conv_seg`, the last layer.

    Args:
        num_classes: K.
        clip: Folder of the CLIP whose texts name the classes.
        names: Names by class id; `None` where training knows none.
        init_cfg: MMEngine's initialisation config.

    Raises:
        InputError: If a name is not in the CLIP's texts.
    """

    align_corners = False
    ignore_index = 255

    def __init__(
        self, *, num_classes: int, clip: str, names: Sequence[str | None], init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.num_classes = self.out_channels = num_classes
        self.text = TextBank(clip, names)
