"""The README is true: its tree names what is there, and so do its links. Its commands: test_documented_commands.py."""

import re

from documented import PAGES, ROOT, blocks

README = PAGES[0]
TREE = next(block.text for block in blocks(README) if block.kind == "text" and "videmo/" in block.text)


def tree_paths(text: str) -> list[str]:
    """Paths of an indented tree whose folders end in a slash."""
    found, stack = [], []
    for line in text.splitlines():
        name = line.strip().split("  ")[0]
        if not name:
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        stack = [*stack[:depth], name]
        found.append("".join(stack))
    return found


def test_the_tree_names_every_module_and_nothing_else():
    named = set(tree_paths(TREE))
    for path in named:
        assert (ROOT / path).exists(), f"the README's tree names {path}, which is not there"
    shown = [*ROOT.glob("videmo/**/*.py"), *ROOT.glob("callbacks/*.py"), *ROOT.glob("tools/*.py")]
    for path in shown:
        if path.name != "__init__.py":
            assert str(path.relative_to(ROOT)) in named, f"{path.relative_to(ROOT)} is missing in the README's tree"


def test_every_page_of_the_docs_is_linked_and_every_link_leads_to_a_file():
    links = {link.split("#")[0] for link in re.findall(r"\]\((?!https?:)([^)]+)\)", README.read_text())}
    missing = {link for link in links if not (ROOT / link).is_file()}
    assert not missing
    pages = {str(page.relative_to(ROOT)) for page in ROOT.glob("docs/*.md")}
    assert pages - links <= {"docs/index.md", "docs/changelog.md"}
