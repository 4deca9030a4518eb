"""The tool that measures GRPO steps, in small: both ways say the same of the same tokens, and it ends with JSON."""

from importlib.util import find_spec

import pytest
from tool_result import result_of


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_shared_tree_and_the_plain_loop_say_the_same_of_what_was_drawn():
    result = result_of("bench_grpo", "--quick", "--steps=2", "--turns=1", "--threads=1")
    assert result["difference"] < 1e-4
    assert result["curve"].keys() == result["tokens"].keys() == {"4", "8"}
    assert result["tokens"]["8"] - result["tokens"]["4"] == 8 * 4  # completions have the length that was asked for
    if find_spec("trl"):
        assert result["trl_ratio"] > 0
    else:
        assert result["trl_ratio"] is None and "not installed" in result["trl_reason"]
