"""Runs the code blocks of README.md and docs/*.md: shell blocks that call recore, Python blocks, Java blocks and Go programs; C
blocks and pieces of Go are compiled. Files that pages link to, and targets of make that they name, must be there.

run_docs.py SOURCE_FOLDER BUILD_FOLDER [--python PYTHON] [--java JAVA] [--go GO]: the languages that this build has.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

VARIABLES = """
  rec_error_t* error = NULL; rec_dataset_t *data = NULL, *split = NULL; rec_trainer_t* trainer = NULL;
  rec_model_t* model = NULL;
"""

# Names that a piece of Go may use.
GO_PIECE = """package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"recore"
)

var _ = []any{errors.Is, fmt.Println, slog.Default, os.Getenv}

func piece(ctx context.Context, dataset *recore.Dataset, model *recore.Model, recommender *recore.Recommender) error {
%s	return nil
}

func main() { _ = piece }
"""


def go_block(text, go, source, work, environment, name):
    folder = work / "go_block"
    folder.mkdir(exist_ok=True)
    is_program = text.startswith("package ")
    (folder / "main.go").write_text(text if is_program else GO_PIECE % text)
    (folder / "go.mod").write_text(
        f"module block\n\ngo 1.24\n\nrequire recore v0.0.0\n\nreplace recore => {source}/bindings/go\n")
    run([go, "build", "-o", work / "go_program", "."], folder, environment, name)
    if is_program:
        run([work / "go_program"], work, environment, name)


def blocks(path):
    for match in re.finditer(r"^```(\w+)\n(.*?)^```", path.read_text(), re.S | re.M):
        yield match.group(1), match.group(2), path.read_text()[: match.start()].count("\n") + 1


def run(command, work, environment, name):
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def run_java(java, build, text, work, environment, name):
    """A block is imports, then the statements of a main."""
    imports = "".join(re.findall(r"^import .*\n", text, re.M))
    body = re.sub(r"^import .*\n", "", text, flags=re.M)
    (work / "Block.java").write_text(f"{imports}class Block {{ public static void main(String[] args) {{ {body} }} }}\n")
    run([java, f"-Drecore.library.path={build}/lib", "-cp", f"{build}/java/recore.jar", "Block.java"], work, environment, name)


def check_names(page, source):
    text, makefile = page.read_text(), (source / "Makefile").read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        if not (page.parent / link).exists():
            sys.exit(f"{page.name}: links to {link}, which is not there")
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M):
        if not re.search(rf"^{target}:", makefile, re.M):
            sys.exit(f"{page.name}: names make {target}, which is not in the Makefile")


def check_order(text, name):
    """C may evaluate arguments in any order: check(call(&error), error) may read the error before the call sets it."""
    for call in re.findall(r"&(\w+)\)\s*,\s*\1\s*\)", text):
        sys.exit(f"{name}: passes {call} beside the call that sets it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    for language in ("python", "java", "go"):
        parser.add_argument(f"--{language}")
    given = parser.parse_args()
    source, build = given.source.resolve(), given.build.resolve()
    go, java, python = given.go, given.java, given.python
    environment = dict(os.environ, PATH=f"{build}/bin:{os.environ['PATH']}", PYTHONPATH=f"{build}/python")
    count = {"sh": 0, "c": 0, "python": 0, "java": 0, "go": 0}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        shutil.copytree(source / "samples", work / "samples")
        for path in (source / "samples").rglob("*.c"):
            check_order(path.read_text(), path.name)
        for path in [source / "README.md", source / "CONTRIBUTING.md", *sorted((source / "docs").glob("*.md"))]:
            check_names(path, source)
            for language, text, line in blocks(path):
                name = f"{path.name}:{line} ({language})"
                if language == "sh" and re.search(r"^recore ", text, re.M):
                    commands = "\n".join(row for row in text.splitlines() if row.startswith("recore ") or row.startswith("  "))
                    run(["bash", "-euo", "pipefail", "-c", commands], work, environment, name)
                elif language == "c":
                    check_order(text, name)
                    at_file_scope = re.match(r"\s*(static|#include|int main)", text)
                    body = text if at_file_scope else f"void snippet(void);\nvoid snippet(void) {{ {VARIABLES} {text} }}\n"
                    (work / "block.c").write_text("#include <stdio.h>\n#include <stdlib.h>\n#include \"rec_c_api.h\"\n#include \"rec_plugin_api.h\"\n" + body)
                    run(["cc", "-std=c99", "-Wall", "-Werror", "-Wno-unused-variable", "-Wno-unused-function", "-fsyntax-only", f"-I{source}/include", "block.c"],
                        work, environment, name)
                elif language == "python" and python:
                    run([python, "-c", text], work, environment, name)
                elif language == "java" and java:
                    run_java(java, build, text, work, environment, name)
                elif language == "go" and go:
                    go_block(text, go, source, work, environment, name)
                else:
                    continue
                count[language] += 1
    print(", ".join(f"{n} {language} blocks" for language, n in count.items()))
    known = {"sh": 1, "c": 2, "python": 1 if python else 0, "java": 4 if java else 0, "go": 4 if go else 0}
    if any(count[language] < n for language, n in known.items()):
        sys.exit("fewer blocks than the docs are known to have")


if __name__ == "__main__":
    main()
