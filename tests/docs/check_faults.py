"""Each test that docs/faults.md names is there, and each fault has one."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def sources():
    for folder in ("tests", "bindings", "plugins"):
        for path, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in names:
                if name.endswith((".cpp", ".py", ".java", ".go")):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        yield file.read()


text = "\n".join(sources())
known = {f"{suite}.{test}" for suite, test in re.findall(r"TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", text)}
known |= set(re.findall(r"def (test_\w+)\(", text)) | set(re.findall(r"func (Test\w+)\(", text)) | set(re.findall(r"void (\w+)\(\)", text))
failures = 0
with open(os.path.join(ROOT, "docs/faults.md"), encoding="utf-8") as file:
    rows = [line.split("|") for line in file if re.match(r"\| \d+ ", line)]
for row in rows:
    tests = re.findall(r"`([^`]+)`", row[4])
    missing = [test for test in tests if test not in known]
    if missing or not tests:
        print(f"fault {row[1].strip()}: {'no test' if not tests else 'there is no test ' + ', '.join(missing)}")
        failures += 1
print(f"{len(rows)} faults")
sys.exit(failures != 0 or len(rows) != 38)
