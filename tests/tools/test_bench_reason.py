"""The tool that measures a search runs, and plain transformers draws the same candidates."""

from tool_result import result_of


def test_plain_transformers_draws_the_same_candidates():
    result = result_of("bench_reason", "--n", "2", "--rounds", "1", "--threads", "1", "--hidden", "64", "--layers", "2")
    assert result["identical"] and result["different"] == 0 and result["speedup"] > 0
