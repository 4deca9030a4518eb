"""The Python examples of the pages that show what they give: they do."""

import doctest

import pytest
from documented import DOCS, texts, write_files

PAGES = [page.name for page in sorted(DOCS.glob("*.md")) if ">>> " in page.read_text(encoding="utf-8")]


def test_pages_with_examples_are_found():
    assert {"rewards.md", "token_tree.md"} <= {*PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_examples_give_what_the_page_says(page, tmp_path, monkeypatch):
    write_files(DOCS / page, tmp_path)  # what an example imports stands on its page
    monkeypatch.syspath_prepend(tmp_path)
    text = "\n\n".join(block for block in texts(DOCS / page, "python") if block.startswith(">>> "))
    examples = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    assert examples.examples and doctest.DocTestRunner().run(examples).failed == 0
