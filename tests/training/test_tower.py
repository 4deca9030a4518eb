import pytest
import torch

from videmo.data.records import read_records
from videmo.data.sampling import VideoSettings
from videmo.models.backbone import Backbone
from videmo.models.tiny import make_tiny
from videmo.training.tower import closed_labels, pretrain_tower

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)


@pytest.fixture(scope="module")
def records(world):
    return [record for file in sorted(world.glob("jsons/train/*/full/*.json")) for record in read_records(file)]


def test_labels_are_what_answers_say(make_record):
    labels = closed_labels(
        [
            make_record("<video>What is the head pose?", "Left 30 degrees", source="MEAD_Head-Pose"),
            make_record(
                "<video>Describe the hair.\nA. bald\nB. short wavy black", "short wavy black", source="QA_Hair"
            ),
            make_record("<video>List every active action unit.", "AU1, AU4", source="AffWild2_Action_Unit_Detection"),
            make_record("<video>Describe it.", "A man.", source="caption_test_sampling_v2_all_example"),
        ]
    )["a.mp4"]
    assert labels["head_pose"] == "Left 30 degrees"
    assert labels["qa_hair: length"] == "short" and labels["qa_hair: colour"] == "black"
    assert labels["action_unit: AU4?"] == "yes" and labels["action_unit: AU12?"] == "no"
    assert not any(question.startswith("caption") for question in labels)


def test_pretraining_changes_the_tower_alone_and_learns(world, records, tmp_path):
    folder = make_tiny([m.content for r in records for m in r.messages], tmp_path / "tiny", hidden_size=64, layers=2)
    before = Backbone.load(str(folder)).state_dict()
    right = pretrain_tower(folder, records, world / "videos", SMALL, epochs=6)
    after = Backbone.load(str(folder)).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(".visual." in name for name in changed)
    assert right > 0.4  # about a quarter is chance over these label sets


def test_the_same_seed_gives_the_same_tower(world, records, tmp_path):
    texts = [m.content for r in records for m in r.messages]
    states = []
    for name in ("one", "two"):
        folder = make_tiny(texts, tmp_path / name, hidden_size=64, layers=2)
        pretrain_tower(folder, records, world / "videos", SMALL, epochs=1)
        states.append(Backbone.load(str(folder)).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
