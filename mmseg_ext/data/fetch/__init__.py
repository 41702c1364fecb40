"""Data sets from where they come from to a folder of unpacked files."""

from mmseg_ext.data.fetch.dataset import fetch as fetch
from mmseg_ext.data.fetch.local import local_state as local_state
