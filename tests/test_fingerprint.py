from videmo.fingerprint import content_hash, text_hash


def test_the_hash_sees_text_path_and_where_one_ends():
    base = text_hash([("a", "xy"), ("b", "z")])
    assert base == text_hash([("b", "z"), ("a", "xy")])
    assert len({base, text_hash([("a", "x"), ("b", "yz")]), text_hash([("a", "xy"), ("c", "z")])}) == 3


def test_files_hash_by_their_paths_under_the_root(tmp_path):
    for root in ("one", "two"):
        (tmp_path / root / "jsons").mkdir(parents=True)
        (tmp_path / root / "jsons" / "a.json").write_text("[]")
    one, two = (content_hash(tmp_path / r, [tmp_path / r / "jsons" / "a.json"]) for r in ("one", "two"))
    assert one == two == text_hash([("jsons/a.json", "[]")])
