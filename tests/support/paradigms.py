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
    "co_teaching": {"type": "CoTeaching"},
    "l2rw": {"type": "L2RW", "split": {"patch": 8}},
    "mw_net": {"type": "MWNet", "split": {"patch": 8}},
    "beco": {"type": "BECO", "split": {"patch": 8}, "warm_up": 0.01},
    "adele": {"type": "ADELE"},
    "adele_interval": {"type": "ADELE", "interval": 0.01},
    "cirl": {"type": "CIRL", "warm_up": 0.01},
    "data_parameters": {"type": "DataParameters"},
}
