import json

import pytest

from videmo.data.faults import Fault


def test_a_fault_names_file_line_and_reason():
    assert str(Fault("a.json", 3, "no answer; add one")) == "a.json:3: no answer; add one"


def test_a_fault_of_a_whole_file_has_no_line():
    assert str(Fault("a.json", 0, "it is empty")) == "a.json: it is empty"


@pytest.mark.parametrize("fault", [Fault("a.json", 3, "no answer"), Fault("ü/b.jsonl", 1, "cut short", "v/ö.mp4")])
def test_a_fault_survives_json(fault):
    assert Fault.from_json(json.loads(json.dumps(fault.to_json()))) == fault


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ([], "object"),
        ({"line": 1, "reason": "x"}, "file"),
        ({"file": "a", "line": "1", "reason": "x"}, "line"),
        ({"file": "a", "line": True, "reason": "x"}, "line"),
        ({"file": "a", "line": 1, "reason": None}, "reason"),
        ({"file": "a", "line": 1, "reason": "x", "video": 3}, "video"),
    ],
)
def test_what_is_no_fault_says_which_field(fields, named):
    with pytest.raises(ValueError, match=named):
        Fault.from_json(fields)
