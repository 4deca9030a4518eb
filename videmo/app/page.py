"""The page: what stands where, and what happens when somebody asks. Gradio draws it and holds the queue."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from videmo.app import view
from videmo.app.talk import LONGEST, Talk, Talks
from videmo.errors import InputError
from videmo.reasoning import Reasoner
from videmo.reasoning.candidates import RATIONALE
from videmo.reasoning.settings import EMOTION
from videmo.tasks import FEELING

MOST = 16
"""Candidates that the page offers, unless the command says more."""
CLEAN_UP = (3600, 24 * 3600)
"""Seconds between two looks at what was uploaded, and after which it is removed."""
ONE_AT_A_TIME = {"concurrency_limit": 1, "concurrency_id": "model", "api_visibility": "private"}
"""The model answers one search after the other: who comes second waits."""


def build_page(reasoner: Reasoner, model: str, folder: Path, upload_mb: int) -> gr.Blocks:
    """The page, not yet served.

    Args:
        reasoner: The model.
        model: What it is called.
        folder: Where uploads and files to download are kept.
        upload_mb: Largest file that its server takes, in megabytes.
    """
    talks, expected = Talks(reasoner, folder, {"ckpt": model}), [*reasoner.settings.levels, EMOTION, RATIONALE]
    with gr.Blocks(title="videmo", analytics_enabled=False, delete_cache=CLEAN_UP) as page:
        _part("head", view.head_html(model))
        with gr.Row(elem_id="ask"):
            label = f"Clip, up to {upload_mb} MB"
            clip = gr.Video(label=label, sources=["upload"], height=280, elem_id="clip", scale=5, min_width=300)
            with gr.Column(scale=6, min_width=300):
                question = gr.Textbox(FEELING, label="Question", lines=4, max_length=LONGEST, elem_id="question")
                n = reasoner.settings.n
                count = gr.Slider(1, max(MOST, n), n, step=1, label="Candidates a level", elem_id="count")
                ask = gr.Button("Reason", variant="primary", elem_id="go")
        note, strip, levels, answer = map(_part, ("note", "strip", "levels", "answer"))
        with gr.Column(visible=False, elem_id="after") as after:
            more = _part("more")
            with gr.Row(elem_id="follow"):
                next_question = gr.Textbox(
                    label="Ask more about it", max_length=LONGEST, lines=1, elem_id="next", scale=8, min_width=200
                )
                send = gr.Button("Ask", elem_id="send", scale=1, min_width=90)
            download = gr.DownloadButton("Download JSON", elem_id="download", size="md")
        talk = gr.State()

        def search(clip: str | None, question: str, n: int) -> Iterator[dict]:
            """Answer a question, and show each level as it comes."""
            yield {note: "", strip: "", levels: "", answer: "", more: "", after: gr.update(visible=False), talk: None}
            try:
                now = talks.begin(clip, question, n)
                yield {strip: view.strip_html(talks.strip(now)), levels: view.levels_html(now, expected)}
                for grown in talks.grow(now):
                    now = grown
                    yield {levels: view.levels_html(now, expected)}
            except InputError as error:
                yield {note: view.note_html(str(error)), levels: ""}
                return
            yield {
                answer: view.answer_html(now),
                talk: now,
                after: gr.update(visible=True),
                download: str(talks.write(now)),
            }

        def follow(now: Talk | None, question: str) -> dict:
            """Answer one more question."""
            try:
                now = talks.go_on(now, question)
            except InputError as error:
                return {note: view.note_html(str(error))}
            file = str(talks.write(now))
            return {note: "", more: view.more_html(now), talk: now, download: file, next_question: ""}

        shown = [note, strip, levels, answer, more, after, download, talk]
        ask.click(search, [clip, question, count], shown, show_progress_on=note, **ONE_AT_A_TIME)
        gr.on(
            [send.click, next_question.submit],
            follow,
            [talk, next_question],
            [note, more, talk, download, next_question],
            show_progress_on=more,
            **ONE_AT_A_TIME,
        )
    for part in page.blocks.values():
        if isinstance(part, gr.components.Component):
            _never_fetch(part)
    return page


def _part(name: str, text: str = "") -> gr.HTML:
    """A part of the page that `videmo.app.view` fills, in the house's style only."""
    return gr.HTML(text, elem_id=name, apply_default_css=False)


def _never_fetch(part: gr.components.Component) -> None:
    """Gradio would download what stands at an address that is given for a file: only what was uploaded is taken."""
    move = part.async_move_resource_to_block_cache

    async def move_own(path: str | Path | None) -> str | None:
        if "://" in str(path):
            raise gr.Error("A clip is uploaded here; its address is not enough.")
        return await move(path)

    part.async_move_resource_to_block_cache = move_own
