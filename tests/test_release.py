"""What is released: one version everywhere, a citation that can be read, and a wheel that runs anywhere."""

import re
import shutil
import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import videmo

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("videmo", "callbacks", "configs")
OTHERS = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE", "CHANGELOG.md", "tests", "tools")


def test_the_newest_entry_of_the_changelog_and_the_citation_are_of_this_version():
    version, date = re.search(r"^## (\d\S+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).groups()
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (version, date) == (videmo.__version__, citation["date-released"])
    assert citation["version"] == version


def test_the_citation_names_software_and_paper_as_its_format_wants():
    """What version 1.2 of the Citation File Format requires."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert citation["message"] and citation["title"] == "videmo" and citation["license"] == "Apache-2.0"
    assert citation["authors"] == [{"name": "The videmo developers"}]
    (paper,) = citation["references"]
    assert paper["type"] == "conference-paper" and paper["title"].startswith("VidEmo: ") and paper["year"] == 2025
    assert len(paper["authors"]) == 7 and all(set(one) == {"family-names", "given-names"} for one in paper["authors"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, as a build writes beside its sources."""
    source = tmp_path_factory.mktemp("source")
    for name in (*PACKAGES, *OTHERS):
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source)
    out = tmp_path_factory.mktemp("wheel")
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(out)], cwd=source, check=True, capture_output=True)
    (found,) = out.glob("videmo-*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_has_every_file_of_its_packages_and_no_other(wheel):
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = Parser().parsestr(archive.read(metadata).decode())
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    assert names == {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    assert {Path(name).suffix for name in names} >= {".py", ".yaml", ".csv", ".html", ".css", ".js", ".typed"}
    assert (about["Version"], about["License-Expression"]) == (videmo.__version__, "Apache-2.0")


@pytest.mark.slow
def test_the_wheel_runs_in_another_folder(wheel, tmp_path):
    """Its commands load, read its data files, and find the shipped configs."""
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    runs = """
import sys
sys.path.insert(0, sys.argv[1])
import videmo
from videmo.cli import main
assert videmo.__file__.startswith(sys.argv[1])
for line in sys.argv[2:]:
    try:
        status = main(line.split())
    except SystemExit as end:
        status = end.code
    assert status == 0, line
"""
    (tmp_path / "elsewhere").mkdir()
    lines = ["--help", "tables --out tables.html", "demo --help", "fit --config configs/demo/sft.yaml --print_config"]
    command = [sys.executable, "-c", runs, str(tmp_path / "site"), *lines]
    done = subprocess.run(command, cwd=tmp_path / "elsewhere", capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert "usage: videmo COMMAND" in done.stdout and "runs/demo" in done.stdout
    assert "VidEmo-T1" in (tmp_path / "elsewhere" / "tables.html").read_text()
