"""The tool that measures answering, in small: both ways say the same, and it ends with one line of JSON."""

import pytest
from tool_result import result_of


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_both_ways_give_the_same_answers():
    result = result_of("bench_eval", "--quick", "--clips=3", "--rounds=1", "--batch=8")
    assert result["identical"] and result["different"] == []
    assert 0 < result["stopped"] < result["questions"] == 15  # some answers end by themselves, some by the limit
    assert result["speedup"] > 0 and result["speedup_decode_shared"] > 0
