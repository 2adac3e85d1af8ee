"""Plugins from outside: the one in plain C trains in this process, the one over LibTorch in a worker."""

import os
import pathlib

import pytest

import recore
from conftest import train_small

FOLDER = pathlib.Path(os.environ["REC_BUILD_FOLDER"]) / "lib" / "recore" / "third_party"
SAMPLES = ["fism"] + ["simplex"] * (os.environ.get("REC_WITH_TORCH") == "1")


@pytest.mark.parametrize("model", SAMPLES)
def test_a_third_party_model_trains_where_its_runtime_may_be(orchard, model):
    recore.load_plugin(FOLDER)
    assert model in [plugin["name"] for plugin in recore.plugins()]
    trained = train_small(orchard, model, batch_size=1024)
    items, scores = trained.recommender(exclude_seen=True).recommend("u0061", k=5)
    assert len(items) == 5 and sorted(scores, reverse=True) == list(scores)
    is_here = f"librecore_{model}.so" in pathlib.Path("/proc/self/maps").read_text()
    assert is_here == (model == "fism")
