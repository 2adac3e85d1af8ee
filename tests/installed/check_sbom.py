"""recore.spdx.json is valid SPDX 2.3, and names what binaries need: check_sbom.py SPDX BINARY..."""
import json
import os
import re
import subprocess
import sys

# Sonames of the compiler's and the C library's own.
RUNTIME = r"(lib(stdc\+\+|m|gcc_s|c|dl|pthread|recore)|ld-linux.*)\.so\.\d+"
SONAMES = {"zlib": r"libz\.so\.\d+", "LibTorch": r"lib(torch|torch_cpu|c10)\.so.*"}
LICENSES = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "Zlib", "GPL-3.0-or-later"}  # identifiers of SPDX

document = json.load(open(sys.argv[1]))
for field in ("name", "documentNamespace", "packages", "relationships"):
    assert document[field], field
for field, value in [("spdxVersion", "SPDX-2.3"), ("dataLicense", "CC0-1.0"), ("SPDXID", "SPDXRef-DOCUMENT")]:
    assert document[field] == value, f"{field}: {document[field]}"
assert re.fullmatch(r"https?://[^#\s]+", document["documentNamespace"])
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["creationInfo"]["created"])
for who in document["creationInfo"]["creators"]:
    assert re.match(r"(Person|Organization|Tool): \S", who), who

packages = {package["SPDXID"]: package for package in document["packages"]}
names = [package["name"] for package in document["packages"]]
assert len(packages) == len(names) == len(set(names)), f"a package is listed twice: {names}"
for spdx_id, package in packages.items():
    assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", spdx_id), spdx_id
    assert re.fullmatch(r"\d+(\.\d+)+", package["versionInfo"]), f"{spdx_id}: version {package['versionInfo']}"
    assert re.match(r"(Person|Organization): \S", package["supplier"]), f"{spdx_id}: {package['supplier']}"
    assert re.match(r"https://", package.get("homepage", "https://")), f"{spdx_id}: {package['homepage']}"
    assert package["downloadLocation"] == "NOASSERTION" and package["filesAnalyzed"] is False and package["copyrightText"], spdx_id
    assert {package["licenseConcluded"], package["licenseDeclared"]} <= LICENSES, f"{spdx_id}: {package['licenseDeclared']}"

related = [(r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"]) for r in document["relationships"]]
assert related.count(("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-recore")) == 1
for relation in related:
    for end in (relation[0], relation[2]):
        assert end in packages or end == "SPDXRef-DOCUMENT", f"{relation}: {end} is no package"
    assert relation[1] in ("DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "BUILD_TOOL_OF"), relation
missing = packages.keys() - {end for relation in related for end in (relation[0], relation[2])}
assert not missing, f"related to nothing: {missing}"

linked = [packages[to]["name"] for _, kind, to in related if kind == "DYNAMIC_LINK"]
known = "|".join([RUNTIME, *(SONAMES[name] for name in linked)])
for binary in sys.argv[2:]:
    dynamic = subprocess.run(["readelf", "-dW", binary], capture_output=True, text=True, check=True,
                             env={**os.environ, "LC_ALL": "C"}).stdout
    for needed in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        assert re.fullmatch(known, needed), f"{binary} needs {needed}, which no package of the document is"
print(f"{len(packages)} packages")
