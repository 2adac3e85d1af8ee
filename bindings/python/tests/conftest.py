import os
import pathlib

import numpy as np
import pytest

import recore

SAMPLES = pathlib.Path(os.environ.get("REC_SAMPLES_FOLDER", pathlib.Path(__file__).parents[3] / "samples"))
ORCHARD = SAMPLES / "data" / "orchard.inter.gz"


@pytest.fixture(scope="session")
def orchard():
    return recore.Dataset.load(ORCHARD).split(seed=1)


@pytest.fixture(scope="session")
def model(orchard):
    return recore.train(orchard, "bprmf", epochs=5, batch_size=512, lr=0.005)


@pytest.fixture(scope="session")
def grid():
    """Users and items 0 .. 9, where user u has the items of its own parity except u itself: (users, items)."""
    pairs = [(u, i) for u in range(10) for i in range(10) if u % 2 == i % 2 and u != i]
    return np.array(pairs, dtype=np.int64).T


def train_small(dataset, model="bprmf", **params):
    return recore.train(dataset, model, **{"epochs": 2, "emb_size": 8, "batch_size": 64, **params})
