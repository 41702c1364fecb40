"""`python -m mmseg_ext`."""

from mmseg_ext.cli import main

main()
