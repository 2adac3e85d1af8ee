"""A newcomer's first minutes in each language: the install commands of docs/*.md, word for word, then their first program,
in an empty folder outside the tree against the installed package.

newcomer.py SOURCE_FOLDER BUILD_FOLDER [--python PYTHON] [--java JAVA] [--go GO]: the languages that this build has.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "docs"))
from run_docs import blocks  # noqa: E402


class Newcomer:
    def __init__(self, source, build, root):
        self.source, self.root, self.prefix = source, root, root / "prefix"
        subprocess.run(["cmake", "--install", build, "--prefix", self.prefix], check=True, stdout=subprocess.DEVNULL)

    def folder(self, name):
        """A folder with nothing but the data that the programs read."""
        (self.root / name).mkdir()
        shutil.copytree(self.source / "samples" / "data", self.root / name / "samples" / "data")
        return self.root / name

    def first(self, page, language):
        return next(text for found, text, _ in blocks(self.source / "docs" / page) if found == language)

    def commands(self, page):
        text = self.first(page, "sh")
        return re.sub(r"\bPREFIX\b", str(self.prefix), text).replace("CHECKOUT", str(self.source))

    def run(self, what, commands, folder, **environment):
        kept = {name: value for name, value in os.environ.items()
                if name not in ("PYTHONPATH", "LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "REC_PLUGIN_PATH", "REC_WORKER_PATH")}
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, env={**kept, **environment},
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{what} failed:\n{commands}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout

    def c(self):
        folder = self.folder("c")
        shutil.copy(self.source / "samples" / "c" / "train_and_serve.c", folder / "main.c")
        out = self.run("C", self.commands("c_api.md") + "./main samples/data/orchard.inter.gz model.rec", folder)
        assert "item row" in out, out

    def python(self, python):
        folder = self.folder("python")
        # A quick virtual environment: it uses the given one's pip and numpy, and nothing is downloaded.
        subprocess.run([python, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        packages = next((folder / "venv").glob("lib/python3*/site-packages"))
        (packages / "others.pth").write_text(os.path.dirname(os.path.dirname(
            subprocess.check_output([python, "-c", "import numpy; print(numpy.__file__)"], text=True))))
        environment = {"PATH": f"{folder}/venv/bin:{os.environ['PATH']}", "PIP_NO_INDEX": "1",
                       "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        self.run("pip", self.commands("python.md"), folder, **environment)
        (folder / "first.py").write_text(self.first("python.md", "python"))
        (folder / "worker.py").write_text(
            "import recore\n"
            "recore.train(recore.Dataset.load('samples/data/orchard.inter.gz'), 'bprmf', epochs=1, isolation='process')\n"
            "print(recore.__file__)\n")
        self.run("Python", "python3 first.py", folder, **environment)
        assert str(folder) in self.run("a worker from Python", "python3 worker.py", folder, **environment)

    def java(self, java):
        folder = self.folder("java")
        text = self.first("java.md", "java")
        imports = "".join(re.findall(r"^import .*\n", text, re.M))
        body = re.sub(r"^import .*\n", "", text, flags=re.M)
        (folder / "Orchard.java").write_text(
            f"{imports}class Orchard {{ public static void main(String[] args) {{ {body} }} }}\n")
        out = self.run("Java", self.commands("java.md"), folder, XDG_CACHE_HOME=str(folder / "cache"),
                       PATH=f"{os.path.dirname(java)}:{os.environ['PATH']}")
        assert "film-" in out, out
        jars = self.prefix / "share" / "java"
        pom = xml.etree.ElementTree.parse(jars / "recore.pom")
        space = "{http://maven.apache.org/POM/4.0.0}"
        assert [pom.findtext(space + name) for name in ("groupId", "artifactId")] == ["io.recore", "recore"]
        for jar, entry in {"recore.jar": "META-INF/maven/io.recore/recore/pom.xml", "recore-sources.jar": "io/recore/Rec.java",
                           "recore-javadoc.jar": "io/recore/Rec.html"}.items():
            assert entry in zipfile.ZipFile(jars / jar).namelist(), (jar, entry)

    def go(self, go):
        folder = self.folder("go")
        (folder / "main.go").write_text(self.first("go.md", "go"))
        self.run("Go", self.commands("go.md") + "./orchard", folder, PATH=f"{os.path.dirname(go)}:{os.environ['PATH']}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    for language in ("python", "java", "go"):
        parser.add_argument(f"--{language}")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        newcomer = Newcomer(given.source.resolve(), given.build.resolve(), pathlib.Path(root))
        newcomer.c()
        for language in ("python", "java", "go"):
            if getattr(given, language):
                getattr(newcomer, language)(getattr(given, language))


if __name__ == "__main__":
    main()
