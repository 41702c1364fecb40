"""Data sets from where they come from to a folder of unpacked files."""

from mmseg_ext.data.fetch.dataset import fetch as fetch
from mmseg_ext.data.fetch.local import local_fingerprint as local_fingerprint
from mmseg_ext.data.fetch.local import local_root as local_root
