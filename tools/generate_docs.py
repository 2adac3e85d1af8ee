#!/usr/bin/env python3
"""Writes the parameter tables of docs/models.md between their markers from `recore plugins MODEL --json`.

generate_docs.py RECORE [--check]: with --check nothing is written and a difference is an error.
"""
import json
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "models.md"


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


def main():
    recore, check = sys.argv[1], "--check" in sys.argv
    text = PAGE.read_text()

    def fill(match):
        model, owner = match.group(1), match.group(2)
        parameters = [p for p in describe(recore, model)["parameters"] if p["owner"] == owner]
        return f"<!-- parameters {model} {owner} -->\n{table(parameters)}\n<!-- end -->"

    filled = re.sub(r"<!-- parameters (\w+) (\w+) -->\n.*?<!-- end -->", fill, text, flags=re.S)
    if check and filled != text:
        sys.exit(f"{PAGE.name} is not what tools/generate_docs.py writes; run it")
    if not check:
        PAGE.write_text(filled)


if __name__ == "__main__":
    main()
