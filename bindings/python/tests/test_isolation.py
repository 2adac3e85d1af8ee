"""Plugins in a worker process, and PyTorch beside a plugin over LibTorch."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest

import recore
from conftest import ORCHARD, train_small

BUILD = pathlib.Path(os.environ["REC_BUILD_FOLDER"])


@pytest.fixture(scope="module", autouse=True)
def evil_plugins():
    recore.load_plugin(BUILD / "lib" / "recore" / "evil")


def test_a_worker_makes_the_same_model(orchard):
    models = [train_small(orchard, isolation=isolation, seed=3) for isolation in ("in_process", "process", "auto")]
    vectors = [np.asarray(model.item_vectors) for model in models]
    assert vectors[0].tobytes() == vectors[1].tobytes() == vectors[2].tobytes()
    values = [models[0].evaluate(orchard, "ndcg@20", isolation=i).values("ndcg@20").tobytes() for i in ("in_process", "process")]
    assert values[0] == values[1]


def test_isolation_is_one_of_three(orchard):
    with pytest.raises(recore.InvalidArgumentError, match="isolation: must be one of auto, in_process, process") as failure:
        train_small(orchard, isolation="worker")
    assert failure.value.argument == "isolation"


def test_a_crash_is_an_error_that_names_the_signal(orchard):
    with pytest.raises(recore.PluginError, match=r"training of 'evil_abort': the worker process was killed by signal 6 \(SIGABRT"):
        recore.train(orchard, "evil_abort", isolation="process")
    train_small(orchard)


def test_what_a_callback_raises_stops_the_worker_too(orchard):
    class Enough(Exception):
        pass

    def on_epoch(event):
        raise Enough

    with recore.Trainer(orchard, "bprmf", {"emb_size": 8, "epochs": 5}, isolation="process") as trainer:
        with pytest.raises(Enough):
            trainer.run(on_epoch)
        assert trainer.model("last").describe()["epoch"] == 1


TRAIN = """
    import recore
    data = recore.Dataset.load({data!r}).split(seed=1)
    def train(**more):
        return recore.train(data, "ans", epochs=1, emb_size=8, num_neg=2, batch_size=4096, threads=1, **more)
    def told(call, *args, **more):
        try:
            call(*args, **more)
            print("nothing was refused")
        except (recore.UnsupportedError, ImportError) as error:
            print(type(error).__name__, error)
    def import_torch():
        import torch
        print("torch", torch.__file__)
"""
CASES = {
    "torch_first_then_a_worker": "import_torch(); model = train(); import_torch(); print('trained', model.n_items)",
    "a_worker_then_torch": "model = train(); import_torch(); train(); print('trained', model.n_items)",
    "torch_first_then_in_process": "import_torch(); told(train, isolation='in_process'); import_torch()",
    "in_process_then_torch": "train(isolation='in_process'); told(import_torch); print('trained', train().n_items)",
}


@pytest.fixture(scope="module")
def torch_folder(tmp_path_factory):
    """The location of a PyTorch with its own LibTorch: REC_TORCH_SITE, or a stand-in that maps a library of that name."""
    if "REC_TORCH_SITE" in os.environ:
        return pathlib.Path(os.environ["REC_TORCH_SITE"])
    folder = tmp_path_factory.mktemp("site")
    (folder / "torch" / "lib").mkdir(parents=True)
    shutil.copy(BUILD / "lib" / "fake_here" / "libc10.so", folder / "torch" / "lib")
    (folder / "torch" / "__init__.py").write_text(textwrap.dedent("""
        import ctypes, os
        ctypes.CDLL(os.path.join(os.path.dirname(__file__), "lib", "libc10.so"), ctypes.RTLD_GLOBAL)
    """))
    return folder


@pytest.mark.skipif(os.environ.get("REC_WITH_TORCH") != "1", reason="this build has no plugins over LibTorch")
@pytest.mark.parametrize("case", CASES)
def test_pytorch_beside_a_plugin_over_libtorch(torch_folder, case):
    code = textwrap.dedent(TRAIN.format(data=str(ORCHARD))) + CASES[case]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([os.environ["PYTHONPATH"], str(torch_folder)]))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    out = done.stdout
    assert "nothing was refused" not in out
    if "in_process" in case:
        files = re.findall(r"\S+/lib(?:c10|torch_cpu)\.so\S*", out)
        assert len(files) == 2 and str(torch_folder) in "".join(files), out  # theirs and ours
    if case != "torch_first_then_in_process":
        assert "trained 400" in out, out
    assert case == "in_process_then_torch" or f"torch {torch_folder}" in out


# What pip installs: the wheel, unpacked.
ELSEWHERE = """
import sys
import recore
try:
    if sys.argv[1].endswith(".rec"):
        recore.load(sys.argv[1])
    else:
        recore.train(recore.Dataset.from_columns([1, 1, 2], [5, 6, 5]), sys.argv[1])
except recore.NotFoundError as error:
    print(error.argument, error)
"""


def test_a_model_without_its_plugin_says_what_is_missing(orchard, tmp_path):
    wheel = next((pathlib.Path(os.environ["REC_BUILD_FOLDER"]) / "python").glob("recore-*.whl"))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    os.unlink(tmp_path / "recore" / "recore" / "plugins" / "librecore_neumf.so")
    train_small(orchard, "neumf", epochs=1, batch_size=1024).save(tmp_path / "neumf.rec")
    environment = {name: value for name, value in os.environ.items() if name != "REC_PLUGIN_PATH"}

    def said(what):
        done = subprocess.run([sys.executable, "-c", ELSEWHERE, what], capture_output=True, text=True, timeout=120,
                              env={**environment, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    for name in ("two_tower", "ans", "autocf"):
        text = said(name)
        assert text.startswith(f"model model: there is no '{name}'") and f"librecore_{name}.so" in text
        assert "needs LibTorch" in text and "-DREC_WITH_TORCH=ON" in text and "REC_PLUGIN_PATH" in text
    for name, model in (("neumf.rec", "neumf"), ("fism", "fism")):
        text = said(name)
        assert f"model: there is no '{model}'" in text and f"librecore_{model}.so" in text
        assert "REC_PLUGIN_PATH" in text
