"""Every training paradigm with arguments for tests, by the name of the test."""

PARADIGM_CONFIGS = {
    "plain": {"type": "PlainTraining"},
    "repeated": {"type": "RepeatedTraining", "times": 2},
    "dale": {"type": "DaleTraining", "split": {"patch": 8}, "confidence": {}, "alignment": {}},
    "dale_persist": {
        "type": "DaleTraining",
        "split": {"patch": 8},
        "confidence": {"mode": "persist"},
        "alignment": {"memory": 0.9},
    },
}
