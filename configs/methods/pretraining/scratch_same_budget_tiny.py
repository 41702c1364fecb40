# The optimiser steps of the suite's pre-training come on top of the schedule.
_base_ = ["scratch_tiny.py"]
adds_pretraining_iterations = True
