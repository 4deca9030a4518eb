"""Imports point downward only: a module may import its own layer's package and those beneath."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    {
        *("videmo", "videmo.errors", "videmo.fingerprint", "videmo.hub", "videmo.tasks", "videmo.affect"),
        *("videmo.pages", "videmo.pictures", "videmo.pixels", "videmo.positions", "videmo.pretrained"),
        *("videmo.terminal", "videmo.token_tree", "videmo.tree_growth", "videmo.unloadable", "videmo.aside"),
        "videmo.cards",
    },
    {
        *("videmo.data", "videmo.models", "videmo.losses", "videmo.metrics", "videmo.judge", "videmo.rewards"),
        "videmo.synth",
    },
    {"videmo.training", "videmo.benchmark", "videmo.reasoning", "videmo.committee"},
    {
        *("videmo.__main__", "videmo.cli", "videmo.demo", "videmo.report", "videmo.check"),
        *("videmo.export", "videmo.doctor", "videmo.plan", "videmo.score", "videmo.compare", "videmo.tables"),
        *("videmo.arguments", "videmo.reason", "videmo.app", "videmo.curate", "videmo.stats"),
        *("videmo.trainer", "videmo.tiny", "videmo.refusals"),
    },
    {"callbacks"},
]
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
SIDEWAYS = {  # within a layer, one direction
    ("videmo.token_tree", "videmo.positions"),
    ("videmo.tree_growth", "videmo.token_tree"),
    ("videmo.aside", "videmo.errors"),
    ("videmo.hub", "videmo.errors"),
    ("videmo.unloadable", "videmo.errors"),
    ("videmo.tasks", "videmo.errors"),
    ("videmo.affect", "videmo.errors"),
    ("videmo.token_tree", "videmo.errors"),
    ("videmo.pretrained", "videmo.errors"),
    ("videmo.pretrained", "videmo.hub"),
    ("videmo.rewards", "videmo.data"),
    ("videmo.rewards", "videmo.judge"),
    ("videmo.training", "videmo.benchmark"),
    ("videmo.training", "videmo.reasoning"),
    ("videmo.reason", "videmo.export"),
    ("videmo.demo", "videmo.trainer"),
    ("videmo.demo", "videmo.tiny"),
    ("videmo.__main__", "videmo.cli"),
    ("videmo.cli", "videmo"),
    ("videmo.trainer", "videmo"),
    ("videmo.trainer", "videmo.plan"),
    ("videmo.curate", "videmo"),
    ("videmo.export", "videmo"),
    ("videmo.doctor", "videmo.export"),
    ("videmo.cli", "videmo.arguments"),
    ("videmo.cli", "videmo.refusals"),
    ("videmo.trainer", "videmo.refusals"),
    ("videmo.demo", "videmo.reason"),
    ("videmo.demo", "videmo.report"),
    ("videmo.app", "videmo.reason"),
    ("videmo.stats", "videmo"),
    ("videmo.stats", "videmo.check"),
    ("videmo.stats", "videmo.reason"),
}
FILES = sorted([*ROOT.glob("videmo/**/*.py"), *ROOT.glob("callbacks/**/*.py")])


def unit_of(module: str) -> str:
    """The longest name in the table that the module is or lies in."""
    parts = module.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next(name for name in names if name in LAYER_OF and (name != "videmo" or module == "videmo"))


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: write the absolute name"
            found.add(node.module)
    return {name for name in found if name.split(".")[0] in ("videmo", "callbacks", "tests", "tools")}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_point_downward(file):
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    unit = unit_of(module)
    for name in imports_of(file):
        assert name.split(".")[0] not in ("tests", "tools"), f"{module} imports {name}"
        target = unit_of(name)
        below = LAYER_OF[target] < LAYER_OF[unit]
        assert below or target == unit or (unit, target) in SIDEWAYS, f"{module} imports {name}: not beneath it"


def test_the_check_sees_an_upward_import(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("from videmo.models.backbone import Backbone\nimport torch\n")
    assert imports_of(file) == {"videmo.models.backbone"}
    assert LAYER_OF[unit_of("videmo.models.backbone")] > LAYER_OF[unit_of("videmo.token_tree")]
