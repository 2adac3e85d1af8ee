#!/usr/bin/env python3
"""Writes tables between their markers: the parameters in docs/models.md from `recore plugins MODEL --json`, and the keys of
an experiment in docs/experiments.md from `recore run --keys --json`.

generate_docs.py RECORE [--check]: with --check nothing is written and a difference is an error.
"""
import json
import pathlib
import re
import subprocess
import sys

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"


def describe(recore, model):
    run = subprocess.run([recore, "plugins", model, "--json"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[0])


def number(value):
    """A limit as people write it: 16,777,216 and 0.001, not 1.67772e+07."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.15g}" if abs(value) >= 1e-4 else f"{value:g}"


def table(parameters):
    rows = ["| parameter | default | range | |", "|---|---|---|---|"]
    for p in parameters:
        default = json.dumps(p["default"]) if not isinstance(p["default"], str) else p["default"]
        bounds = ", ".join(p["choices"]) if "choices" in p else f"{number(p['min'])} to {number(p['max'])}" if "min" in p else ""
        rows.append(f"| `{p['name']}` | {default} | {bounds} | {p['doc']} |")
    return "\n".join(rows) if parameters else "No parameters."


def keys(recore):
    run = subprocess.run([recore, "run", "--keys", "--json"], capture_output=True, text=True, check=True)
    rows = [f"| `{key['key']}` | {key['doc']} |" for key in map(json.loads, run.stdout.splitlines())]
    return "\n".join(["| key | |", "|---|---|", *rows])


def write(name, check, fill):
    page = DOCS / name
    text = page.read_text()
    filled = fill(text)
    if check and filled != text:
        sys.exit(f"{name} is not what tools/generate_docs.py writes; run it")
    if not check:
        page.write_text(filled)


def main():
    recore, check = sys.argv[1], "--check" in sys.argv

    def fill(match):
        model, owner = match.group(1), match.group(2)
        parameters = [p for p in describe(recore, model)["parameters"] if p["owner"] == owner]
        return f"<!-- parameters {model} {owner} -->\n{table(parameters)}\n<!-- end -->"

    write("models.md", check, lambda text: re.sub(r"<!-- parameters (\w+) (\w+) -->\n.*?<!-- end -->", fill, text, flags=re.S))
    of_file = f"<!-- keys -->\n{keys(recore)}\n<!-- end -->"
    write("experiments.md", check, lambda text: re.sub(r"<!-- keys -->\n.*?<!-- end -->", lambda _: of_file, text, flags=re.S))


if __name__ == "__main__":
    main()
