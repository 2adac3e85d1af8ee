"""Runs the code blocks of README.md and docs/*.md: shell blocks that call recore, Python blocks, C blocks (compiled).

run_docs.py SOURCE_FOLDER BUILD_FOLDER [PYTHON]. Without PYTHON there is no Python package in this build, and a Python
block is an error unless the caller says --no-python.
"""
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


def blocks(path):
    for match in re.finditer(r"^```(\w+)\n(.*?)^```", path.read_text(), re.S | re.M):
        yield match.group(1), match.group(2), path.read_text()[: match.start()].count("\n") + 1


def run(command, work, environment, name):
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def main():
    source, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    python = sys.argv[3] if len(sys.argv) > 3 else "--no-python"
    environment = dict(os.environ, PATH=f"{build}/bin:{os.environ['PATH']}", PYTHONPATH=f"{build}/python")
    count = {"sh": 0, "c": 0, "python": 0}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        shutil.copytree(source / "samples", work / "samples")
        for path in [source / "README.md", *sorted((source / "docs").glob("*.md"))]:
            for language, text, line in blocks(path):
                name = f"{path.name}:{line} ({language})"
                if language == "sh" and re.search(r"^recore ", text, re.M):
                    commands = "\n".join(row for row in text.splitlines() if row.startswith("recore ") or row.startswith("  "))
                    run(["bash", "-euo", "pipefail", "-c", commands], work, environment, name)
                elif language == "c":
                    at_file_scope = re.match(r"\s*(static|#include|int main)", text)
                    body = text if at_file_scope else f"void snippet(void);\nvoid snippet(void) {{ {VARIABLES} {text} }}\n"
                    (work / "block.c").write_text("#include <stdio.h>\n#include <stdlib.h>\n#include \"rec_c_api.h\"\n#include \"rec_plugin_api.h\"\n" + body)
                    run(["cc", "-std=c99", "-Wall", "-Werror", "-Wno-unused-variable", "-Wno-unused-function", "-fsyntax-only", f"-I{source}/include", "block.c"],
                        work, environment, name)
                elif language == "python" and python != "--no-python":
                    run([python, "-c", text], work, environment, name)
                else:
                    continue
                count[language] += 1
    print(", ".join(f"{n} {language} blocks" for language, n in count.items()))
    if count["sh"] < 1 or count["c"] < 2 or (python != "--no-python" and count["python"] < 1):
        sys.exit("fewer blocks than the docs are known to have")


if __name__ == "__main__":
    main()
