"""docs/languages.md names every exported call, and every name in it exists in its language; constants are equal in all.

languages.py SOURCE_FOLDER [--jar JAR --javap JAVAP] [--go GO], with the Python package on the path.
"""
import argparse
import pathlib
import re
import subprocess
import sys

import recore
from recore import _raw


def rows(page):
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`rec_"):
            yield cells[0].strip("`"), cells[1:]


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def in_python(name):
    target = recore
    for part in name.split("."):
        target = getattr(target, part, None)
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
        self.raw = (pathlib.Path(folder) / "internal/crec/crec.go").read_text()

    def constants(self):
        return {n: int(v, 0) for n, v in re.findall(r"^const (REC_\w+) (?:int\w* )?= (-?\w+)$", self.raw, re.M) if re.fullmatch(r"-?\d+|0x\w+", v)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    for option in ("--jar", "--javap", "--go"):
        parser.add_argument(option)
    given = parser.parse_args()
    exported = [line.split()[0] for line in (given.source / "tests/abi/exports.txt").read_text().splitlines() if line.strip()]
    table = list(rows(given.source / "docs/languages.md"))
    wrong = [f"{name}: not in docs/languages.md" for name in exported if name not in dict(table)]
    wrong += [f"{name}: in docs/languages.md, but not exported" for name, _ in table if name not in exported]

    languages = {"Python": (0, in_python)}
    constants = {"Python": {n: v for n, v in vars(_raw).items() if n.startswith("REC_") and isinstance(v, int)}}
    if given.jar:
        java = Java(given.jar, given.javap)
        languages["Java"], constants["Java"] = (1, java.has), java.constants()
    if given.go:
        go = Go(given.go, given.source / "bindings/go")
        languages["Go"], constants["Go"] = (2, go.known.__contains__), go.constants()
    for symbol, cells in table:
        for language, (column, exists) in languages.items():
            if not cells[column]:
                wrong.append(f"{symbol}: nothing for {language}")
            wrong += [f"{symbol}: {language} has no {name}" for name in names(cells[column]) if not exists(name)]

    # Each language must have the header's numbers.
    header = (given.source / "include/rec_c_api.h").read_text()
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
    print(f"{len(table)} calls and {len(expected)} constants in {', '.join(languages)}")


if __name__ == "__main__":
    main()
