"""Records written by hand."""

import json


def turns(*texts):
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]


def write_records(root, path, records):
    file = root / "jsons" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    file.write_text("\n".join(lines) + "\n")


def emotion(video, answer):
    question = "<video>What emotion is it?\nA. Happy\nB. Sad\nC. Neutral\nD. Angry\nE. Surprise\nF. Disgust\nG. Fear"
    return {"messages": turns(question, answer), "videos": [video]}
