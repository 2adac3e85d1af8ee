"""docs/languages.md names every exported call and every option, and every name in it exists in its language; constants are
equal in all.

languages.py SOURCE_FOLDER [--jar JAR --javap JAVAP] [--go GO] [--recore COMMAND], with the Python package on the path.
"""
import argparse
import inspect
import pathlib
import re
import subprocess
import sys

import recore
from recore import _raw


def rows(page, n_cells):
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == n_cells and cells[0].startswith("`rec_"):
            yield cells[0].strip("`"), cells[1:]


OPTIONS = ["dataset_options", "columns", "split_options", "trainer_options", "protocol", "save_options", "load_options",
           "recommender_options", "run_options", "tuner_options"]


def fields(header):
    """The fields of the option structs, but for what tells the length of another or whether another is set."""
    for name in OPTIONS:
        body = re.search(rf"typedef struct rec_{name}_t {{(.*?)\n}} rec_{name}_t;", header, re.S).group(1)
        body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
        all_of_them = [re.split(r"[\s*]+", line.strip())[-1] for line in body.split(";") if line.strip()]
        for field in all_of_them:
            helper = "n_" if name == "columns" else "has_"
            if field.startswith(helper) and field.removeprefix(helper) in all_of_them:
                continue
            if field != "struct_size" and not field.startswith("reserved"):
                yield f"rec_{name}_t.{field}"


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def in_python(name):
    name, _, keyword = name.rstrip(")").partition("(")
    target = recore
    for part in name.split("."):
        target = getattr(target, part, None)
    if keyword:
        return target is not None and keyword in inspect.signature(target).parameters
    return target is not None or name == "recore"


class Java:
    def __init__(self, jar, javap):
        self.command = [javap, "-cp", jar, "-private", "-constants"]
        self.members = {}

    def text(self, kind):
        if kind not in self.members:
            done = subprocess.run([*self.command, kind], capture_output=True, text=True)
            self.members[kind] = done.stdout if done.returncode == 0 else ""
        return self.members[kind]

    def has(self, name):
        if name == "recore":
            return True
        kind, _, member = name.partition(".")
        package = "io.recore.internal" if kind == "Natives" else "io.recore"
        text = self.text(f"{package}.{kind}")
        inherited = self.text("io.recore.internal.Handle") if "internal.Handle" in text else ""
        return bool(text) and (not member or re.search(rf"\b{member}\(", text + inherited) is not None)

    def constants(self):
        text = self.text("io.recore.internal.Raw") + self.text("io.recore.internal.RawConstants")
        return {n: int(v) for n, v in re.findall(r"static final (?:int|long) (REC_\w+) = (-?\d+)", text)}


class Go:
    def __init__(self, go, folder):
        run = lambda package: subprocess.run([go, "doc", "-all", package], cwd=folder, capture_output=True, text=True, check=True).stdout
        text = run(".")
        self.known = set(re.findall(r"^func (\w+)", text, re.M)) | set(re.findall(r"^type (\w+)", text, re.M))
        self.known |= {f"{kind}.{method}" for kind, method in re.findall(r"^func \(\w* ?\*?(\w+)\) (\w+)\(", text, re.M)}
        for kind, body in re.findall(r"^type (\w+) struct {\n(.*?)^}", text, re.M | re.S):
            for group in re.findall(r"^\t(\w+(?:, \w+)*) ", body, re.M):
                self.known |= {f"{kind}.{name}" for name in group.split(", ")}
        self.raw = (pathlib.Path(folder) / "internal/crec/crec.go").read_text()

    def constants(self):
        return {n: int(v, 0) for n, v in re.findall(r"^const (REC_\w+) (?:int\w* )?= (-?\w+)$", self.raw, re.M) if re.fullmatch(r"-?\d+|0x\w+", v)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    for option in ("--jar", "--javap", "--go", "--recore"):
        parser.add_argument(option)
    given = parser.parse_args()
    exported = [line.split()[0] for line in (given.source / "tests/abi/exports.txt").read_text().splitlines() if line.strip()]
    header = (given.source / "include/rec_c_api.h").read_text()
    table, options = (list(rows(given.source / "docs/languages.md", n_cells)) for n_cells in (4, 5))
    wrong = [f"{name}: not in the table of options of docs/languages.md" for name in fields(header) if name not in dict(options)]
    wrong += [f"{name}: in the table of options, but not in the header" for name in dict(options) if name not in fields(header)]
    wrong += [f"{name}: not in docs/languages.md" for name in exported if name not in dict(table)]
    wrong += [f"{name}: in docs/languages.md, but not exported" for name, _ in table if name not in exported]

    languages = {"Python": (0, in_python)}
    constants = {"Python": {n: v for n, v in vars(_raw).items() if n.startswith("REC_") and isinstance(v, int)}}
    if given.jar:
        java = Java(given.jar, given.javap)
        languages["Java"], constants["Java"] = (1, java.has), java.constants()
    if given.go:
        go = Go(given.go, given.source / "bindings/go")
        languages["Go"], constants["Go"] = (2, go.known.__contains__), go.constants()
    if given.recore:
        pages = [["train"], ["tune"], ["evaluate"], ["recommend"], ["data", "describe"], ["data", "split"]]
        text = "".join(subprocess.run([given.recore, *page, "--help"], capture_output=True, text=True, check=True).stdout for page in pages)
        known = set(re.findall(r"(?<![\w-])(--?\w[\w-]*)", text))
        wrong += [f"{field}: the command has no {name}" for field, cells in options for name in names(cells[0]) if name not in known]
    for symbol, cells in table + [(field, cells[1:]) for field, cells in options]:
        for language, (column, exists) in languages.items():
            if not cells[column]:
                wrong.append(f"{symbol}: nothing for {language}")
            wrong += [f"{symbol}: {language} has no {name}" for name in names(cells[column]) if not exists(name)]

    # Each language must have the header's numbers.
    expected = {n: int(v, 0) for n, v in re.findall(r"^#define (REC_\w+) +\(?(-?\d+|0x[0-9a-fA-F]+)\)?\s*(?:/\*.*)?$", header, re.M)}
    expected |= {n: int(v) for n, v in re.findall(r"^\s*(REC_\w+) = (-?\d+)", header, re.M)}
    for language, found in constants.items():
        for name, value in expected.items():
            if found.get(name) != value:
                wrong.append(f"{name}: {value} in the header, {found.get(name)} in {language}")
    if len(expected) < 50:
        wrong.append(f"{len(expected)} constants found in the header, fewer than there are")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(table)} calls, {len(options)} options and {len(expected)} constants in {', '.join(languages)}")


if __name__ == "__main__":
    main()
