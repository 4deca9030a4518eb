"""Facts about a committee, over a real HTTP server that plays models which err as often as they are told."""

import json
import sys
from collections import Counter
from pathlib import Path
from threading import Lock

import pytest

from videmo.committee.agreement import agreement
from videmo.committee.asking import Vote
from videmo.committee.author import RATIONALE, Clip
from videmo.committee.dry_run import bills
from videmo.committee.member import VisionModel
from videmo.committee.outcome import figures, left_out
from videmo.committee.run import Models, clips_in, settle
from videmo.committee.sample import Draft, Origin
from videmo.errors import InputError
from videmo.tasks import find_task

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from curate_table import VIDEO, draw, wrong
from simulated_models import EMOTIONS, Beliefs, SimulatedModels

RIGHT = Beliefs({"a": 0.0, "b": 0.0, "c": 0.0})
ERRING = Beliefs({"a": 0.3, "b": 0.2, "c": 0.2})


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder of five clips, and what is true of them."""
    folder = tmp_path_factory.mktemp("clips")
    shown, names = draw(folder, 5, seed=3)
    return folder, shown, names


@pytest.fixture
def ask(drawn, tmp_path):
    """Runs a committee of three, of which a writes, and returns the clips."""
    folder, _, names = drawn

    def run(server: SimulatedModels, rewrites: int = 2, **settings) -> list[Clip]:
        clips = clips_in(folder, names, VIDEO)
        settle(clips, models(server, tmp_path, rewrites, **settings))
        return clips

    return run


def models(server, folder, rewrites=2, **settings) -> Models:
    settings = {"cache": str(folder / "replies.sqlite"), "backoff": 0.01, **settings}
    members = [VisionModel(server.url, name, **settings) for name in "abc"]
    return Models(members[0], tuple(members), EMOTIONS, rewrites)


def facts(clips, shown):
    truth = {f"{name}.mp4": found for name, found in shown.values()}
    for clip in clips:
        for fact in truth[clip.path].values():
            for draft in clip.drafts:
                if draft.task == fact.task:
                    yield fact, draft


def test_what_all_find_right_is_kept_with_its_votes(drawn, ask):
    with SimulatedModels(drawn[1], RIGHT) as server:
        clips = ask(server)
    for fact, draft in facts(clips, drawn[1]):
        assert draft.status == "kept" and draft.former == [] and not wrong(fact, draft.answer)
        votes = draft.provenance()["votes"]
        assert votes == [{name: {"right": True, "wrong": ""} for name in "abc"}]
        assert draft.provenance()["model"] == "a" and draft.provenance()["tokens"] > 0
    felt = sum("emotion" in found for _, found in drawn[1].values())
    assert sum(draft.task == RATIONALE for clip in clips for draft in clip.drafts) == felt > 0
    # Three levels, a caption, where there is an emotion its reasons, two votes of each member, and no rewriting.
    assert server.paid.total() == len(clips) * (3 + 1 + 2 * 3) + felt
    assert [*map(list, map(left_out, clips))] == [[]] * len(clips)


def test_an_error_is_voted_down_and_written_anew_with_what_was_said(drawn, ask):
    with SimulatedModels(drawn[1], ERRING) as server:
        clips = ask(server)
    found = [*facts(clips, drawn[1])]
    first = [wrong(fact, [*draft.former, draft.answer][0]) for fact, draft in found]
    kept = [wrong(fact, draft.answer) for fact, draft in found if draft.status == "kept"]
    assert sum(first) > 10 and sum(kept) < sum(first) / 2
    anew = [draft for _, draft in found if draft.former and draft.status == "kept"]
    assert anew
    for draft in anew:
        assert len(draft.rounds) == len(draft.former) + 1 and draft.origin.prompt.startswith("rewrite")
        assert sum(vote.right for vote in draft.rounds[0].values()) < 2
        assert f"It is {draft.answer}." in {vote.wrong for vote in draft.rounds[0].values()}


def test_without_rewriting_what_is_rejected_is_dropped_with_the_reason(drawn, ask):
    with SimulatedModels(drawn[1], ERRING) as server:
        clips = ask(server, rewrites=0)
    dropped = [draft for _, draft in facts(clips, drawn[1]) if draft.status == "dropped"]
    assert dropped and all(
        draft.reason.startswith("rejected by most of the committee, at last: It is ") for draft in dropped
    )
    lines = [line for clip in clips for line in left_out(clip)]
    assert len(lines) == len(dropped) and all(line["provenance"]["votes"] for line in lines)


def test_a_second_run_pays_nothing_and_gives_the_same(drawn, ask):
    with SimulatedModels(drawn[1], ERRING) as server:
        first, paid = ask(server), server.paid.total()
        second = ask(server)
        assert server.asked.total() == server.paid.total() == paid
    assert [clip.drafts for clip in first] == [clip.drafts for clip in second]


def in_prose(number, body, reply):
    text = reply["choices"][0]["message"]["content"]
    return 200, changed(reply, f"Sure, here is what I see.\n```json\n{text}\n```\nLet me know!")


def changed(reply, text, **message):
    reply = json.loads(json.dumps(reply))
    reply["choices"][0]["message"] |= {"content": text, **message}
    return reply


FAULTS = {
    "refusal": lambda reply: (200, changed(reply, None, refusal="I can't help with that.")),
    "declines in words": lambda reply: (200, changed(reply, "I'm sorry, I can't describe people.")),
    "empty": lambda reply: (200, changed(reply, "")),
    "cut": lambda reply: (200, changed(reply, reply["choices"][0]["message"]["content"][:-3] + '"')),
    "too large": lambda reply: (413, {"error": {"message": "image exceeds 5 MB"}}),
    "unreadable image": lambda reply: (400, {"error": {"message": "could not process image"}}),
}


def test_json_in_prose_is_read(drawn, ask):
    with SimulatedModels(drawn[1], RIGHT, in_prose) as server:
        clips = ask(server)
    assert all(draft.status == "kept" for _, draft in facts(clips, drawn[1]))


def test_every_fault_is_accounted_for_sample_by_sample(drawn, ask):
    kinds, sent, lock = [*FAULTS], Counter(), Lock()

    def fault(number, body, reply):
        # by what was asked, so that threads change nothing; every fourth request has one
        place = hash_of(body) % (4 * len(kinds))
        if place >= len(kinds):
            return None
        with lock:
            sent[kinds[place]] += 1
        return FAULTS[kinds[place]](reply)

    with SimulatedModels(drawn[1], RIGHT, fault) as server:
        clips = ask(server)
        assert sent.total() > 8
        for clip in clips:
            statuses = Counter(draft.status for draft in clip.drafts)
            assert not statuses["open"] and not statuses["dropped"]
            lines = [*left_out(clip)]
            assert len(lines) == len(clip.missing) + statuses["missing"]
            assert all(line["reason"] and line["status"] == "missing" for line in lines)
        counts = figures(clips)
        assert counts["unanswered"] == sum(len(clip.missing) for clip in clips) > 0
        votes = [vote for clip in clips for draft in clip.drafts for vote in draft.rounds[0].values()]
        silent = [vote for vote in votes if vote.right is None]  # a member that failed says neither yes nor no
        assert silent and all(vote.wrong for vote in silent)
        server.fault = None
        again = ask(server, retry_missing=True)
    assert not any(clip.missing for clip in again)
    assert all(draft.status == "kept" for _, draft in facts(again, drawn[1]))


def hash_of(body) -> int:
    import zlib

    return zlib.crc32(json.dumps(body, sort_keys=True).encode())


def test_a_clip_that_cannot_be_read_is_said_and_the_rest_goes_on(drawn, tmp_path):
    folder, shown, names = drawn
    (folder / "broken.mp4").write_bytes(b"no video")
    clips = clips_in(folder, ["gone.mp4", names[0], "broken.mp4"], VIDEO)
    with SimulatedModels(shown, RIGHT) as server:
        settle(clips, models(server, tmp_path))
    gone, good, broken = ([*left_out(clip)] for clip in clips)
    assert [(line["asked"], line["status"]) for line in (*gone, *broken)] == [
        ("frames", "missing"),
        ("attributes", "missing"),
    ]
    assert "gone.mp4" in gone[0]["reason"] and "broken.mp4" in broken[0]["reason"] and good == []


def test_a_dry_run_sends_nothing_and_says_the_calls(drawn, tmp_path):
    folder, shown, names = drawn
    clips = clips_in(folder, names, VIDEO)
    with SimulatedModels(shown, RIGHT) as server:
        asked = models(server, tmp_path, price_in=1.0, price_out=2.0)
        found = bills(clips, asked)
        assert server.asked.total() == 0
        assert [(bill.model, bill.does) for bill in found] == [
            ("a", "writes and votes"),
            ("b", "votes"),
            ("c", "votes"),
        ]
        assert found[0].calls == (35, 75) and found[1].calls == (10, 30)
        assert 0 < found[1].prompt_tokens[0] < found[1].prompt_tokens[1] and 0 < found[0].cost[0] < found[0].cost[1]
        settle(clips_in(folder, names, VIDEO), asked)
        paid = server.paid.total()
        after = bills(clips_in(folder, names, VIDEO), asked)
        assert paid == sum(bill.known for bill in after)
        silent = len(clips) - sum("emotion" in known for _, known in shown.values())  # no emotion, no reasons
        assert sum(bill.calls[0] for bill in found) == paid + silent
        assert [bill.calls[0] for bill in after] == [silent, 0, 0]


def test_a_committee_has_three_voices_of_its_own():
    one = VisionModel("http://localhost/v1", "a")
    for names, why in ((("a", "b"), "three or more"), (("a", "b", "b"), "b is in the committee twice")):
        with pytest.raises(InputError, match=why):
            Models(one, tuple(VisionModel("http://localhost/v1", name) for name in names), EMOTIONS)
    with pytest.raises(InputError, match="is no task with one label"):
        Models(one, tuple(VisionModel("http://x/v1", name) for name in "abc"), find_task("MEAD_ID"))


def test_agreement_is_fleiss_kappa():
    """The example of Fleiss (1971), as far as two categories can have it: worked by hand."""

    def draft(*votes):
        found = Draft(EMOTIONS, "?", "Sad", Origin("a", "x"))
        found.rounds.append({str(n): Vote(v, "") for n, v in enumerate(votes)})
        return found

    drafts = [draft(True, True, True), draft(True, True, False), draft(False, False, False), draft(True, None, True)]
    # Shares agreed on: 1, 1/3, 1, mean 7/9; right 5 of 9, chance (5/9)^2 + (4/9)^2 = 41/81.
    assert agreement(drafts) == pytest.approx((7 / 9 - 41 / 81) / (1 - 41 / 81), abs=1e-4)  # torchmetrics adds 1e-5
    assert agreement([draft(True, True, True)]) is None
