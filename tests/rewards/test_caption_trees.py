"""Facts about rewards of affective trees, by hand and on drawn captions."""

import math

import pytest
from judge_server import JudgeServer, says

from videmo.affect import edit_distance, parse_caption, tree_f1
from videmo.errors import InputError
from videmo.rewards import Completion, TreeOverlapReward, TreeReward

REFERENCE = "A woman looks sad: the corners of her thin lips turn down."
# video(person: woman(emotion: sadness(mouth: downturned corners(lips: thin)))): 5 nodes
EDITS = {
    REFERENCE: 0,
    "A woman looks sad.": 2,  # insert expression and attribute
    "A man looks sad: the corners of his thin lips turn down.": 1,  # substitute the person
    "A woman looks happy.": 3,  # substitute the emotion, insert two
    "Zebras graze.": 4,  # insert all but the root
    "": 4,
}


@pytest.mark.parametrize(("text", "edits"), EDITS.items())
def test_the_reward_falls_by_e_to_the_lambda_with_each_edit(make_completion, text, edits):
    completion = make_completion("fine", text, REFERENCE)
    assert TreeReward()([completion]) == pytest.approx([math.exp(-0.1 * edits)])
    assert TreeReward(edit_lambda=0.5)([completion]) == pytest.approx([math.exp(-0.5 * edits)])
    both = parse_caption(text).tree.size + 5
    assert TreeReward(edit_lambda=2.0, normalize=True)([completion]) == pytest.approx([math.exp(-2 * edits / both)])


def test_the_same_facts_with_other_reasons_overlap_whole_and_cost_edits(make_completion):
    text = "A woman with thin lips looks sad. The corners of her lips turn down."
    completion = make_completion("fine", text, REFERENCE)
    assert parse_caption(text).tree.pairs() == parse_caption(REFERENCE).tree.pairs()
    assert TreeOverlapReward()([completion]) == [1.0]
    assert TreeReward()([completion])[0] < 1


def test_the_overlap_is_the_f1_of_the_pairs(make_completion):
    texts = ["A woman looks sad.", "A man looks sad.", "A man."]  # of 4 pairs 2 are right, 1 of 2, 0 of 1
    completions = [make_completion("fine", text, REFERENCE) for text in texts]
    assert TreeOverlapReward()(completions) == pytest.approx([4 / 6, 2 / 6, 0])


def test_a_reference_without_a_node_gives_no_reward(make_completion):
    for reward in (TreeReward(), TreeOverlapReward()):
        completions = [make_completion("fine", "", "Zebras graze."), make_completion("fine", REFERENCE, REFERENCE)]
        assert reward(completions) == [None, 1.0]
        assert reward.reasons == {"data.json:1: no node of a tree is read from the reference": 1}


def test_no_completions_have_no_rewards():
    assert TreeReward()([]) == []


def test_drawn_captions_earn_the_most_for_their_own_clip(drawn_records):
    task, records = next((task, records) for task, records in drawn_records.items() if task.name == "caption")
    answers = [record.answer for record in records]
    own = [Completion(text, record, task, 5, False) for text, record in zip(answers, records, strict=True)]
    other = [c._replace(text=text) for c, text in zip(own, answers[1:] + answers[:1], strict=True)]
    assert TreeReward()(own) == [1.0] * len(records)
    rewards = TreeReward()(other)
    trees = [(parse_caption(c.text).tree, parse_caption(c.record.answer).tree) for c in other]
    assert rewards == pytest.approx([math.exp(-0.1 * edit_distance(*two)) for two in trees])
    assert max(rewards) < 1 and max(tree_f1(*two) for two in trees) < 1


def test_the_trees_may_be_a_judges(make_judge, make_completion):
    man, woman = (
        f'{{"label": "video", "children": [{{"label": "person: {who}", "children": []}}]}}' for who in ("man", "woman")
    )
    with JudgeServer({1: [says(man)], 2: [says(woman)], 3: [says("no tree")]}) as server:
        reward = TreeReward(judge=make_judge(server).settings)
        texts = ["sample 0001", "sample 0002", "sample 0003", ""]
        completions = [make_completion("fine", text, "sample 0001") for text in texts]
        assert reward(completions) == pytest.approx([1.0, math.exp(-0.1), None, math.exp(-0.1)])
        assert server.asked() == {1: 1, 2: 1, 3: 1}  # the reference once, of nothing nobody is asked
    assert reward.reasons.total() == 1


@pytest.mark.parametrize("edit_lambda", [0, -1, math.inf, math.nan])
def test_a_lambda_that_is_none_is_refused(edit_lambda):
    with pytest.raises(InputError, match="edit_lambda must be above 0"):
        TreeReward(edit_lambda=edit_lambda)
