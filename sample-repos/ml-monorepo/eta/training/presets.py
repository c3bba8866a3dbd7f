"""Named settings of a training run."""

PRESETS = {
    "quick": {
        "model": "linear",
        "loss": "squared",
        "epochs": 2,
        "schedule": {"_target_": "eta.training.schedules.constant.Constant", "rate": 0.01},
    },
    "nightly": {
        "model": "linear",
        "loss": "huber",
        "epochs": 20,
        "schedule": {"_target_": "eta.training.schedules.cosine.Cosine", "rate": 0.05, "steps": 20},
    },
    "late": {
        "model": "linear",
        "loss": "pinball",
        "epochs": 20,
        "schedule": {"_target_": "eta.training.schedules.warmup.Warmup", "rate": 0.05, "steps": 5},
    },
}
