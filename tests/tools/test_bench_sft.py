"""The tool that measures sharing and caching, in small: it runs, and says what it promises."""

import pytest
from tool_result import result_of


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_quick_run_ends_with_one_line_of_json():
    result = result_of("bench_sft", "--quick", "--threads=1", timeout=580)
    assert result["speedup"] > 0 and result["ceiling"] > 1
    assert result["speedup_by_stage"].keys() == {"attribute", "expression", "emotion"}
    assert result["speedup_cached"].keys() == result["hit_rate"].keys() == {"0.1", "1.0"}
    assert result["hit_rate"] == {"0.1": 0.1, "1.0": 1.0}
    curve = result["learning_curve"]
    assert len(curve["samples"]) == len(curve["shared"]) == len(curve["plain"]) == 2
