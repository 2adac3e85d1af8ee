"""The licence is in everything that is handed out, and named where a package names one: check_license.py SOURCE PREFIX"""
import pathlib
import sys
import xml.etree.ElementTree
import zipfile

source, prefix = map(pathlib.Path, sys.argv[1:])
text = (source / "LICENSE").read_bytes()
assert text.startswith(b"MIT License\n")
for copy in (prefix / "share/doc/recore/LICENSE", source / "bindings/go/LICENSE"):
    assert copy.read_bytes() == text, copy

for jar in sorted((prefix / "share/java").glob("*.jar")):
    assert zipfile.ZipFile(jar).read("META-INF/LICENSE") == text, jar
for pom in (prefix / "share/java").glob("*.pom"):
    maven = {"": "http://maven.apache.org/POM/4.0.0"}
    assert xml.etree.ElementTree.parse(pom).findtext("licenses/license/name", namespaces=maven) == "MIT", pom
for path in (prefix / "share/recore").glob("*.whl"):
    wheel = zipfile.ZipFile(path)
    info = "-".join(path.name.split("-")[:2]) + ".dist-info"
    assert wheel.read(f"{info}/licenses/LICENSE") == text, path
    assert "License-Expression: MIT" in wheel.read(f"{info}/METADATA").decode().splitlines(), path
