"""The page: what stands where, and what happens when somebody asks. Gradio draws it and holds the queue."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import gradio as gr
from gradio.data_classes import FileData
from pydantic import AfterValidator, Field, TypeAdapter

from videmo.app import view
from videmo.app.talk import Talk, Talks
from videmo.app.worker import Worker
from videmo.errors import InputError
from videmo.reasoning import Reasoner
from videmo.tasks import FEELING

MOST = 16
"""Candidates that the page offers, unless the command says more."""
CLEAN_UP = (3600, 24 * 3600)
"""Seconds between two looks at what was uploaded, and after which it is removed."""
ONE_AT_A_TIME: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "model", "api_visibility": "private"}
"""The model answers one search after the other: who comes second waits."""
CLOSED = "Whoever served this page has ended it."
STOPPED = "Stopped: ask again whenever you like."


def build_page(
    reasoner: Reasoner, worker: Worker, model: str, folder: Path, upload_mb: int
) -> tuple[gr.Blocks, dict[int, TypeAdapter]]:
    """The page, not yet served, and what each of its calls takes, by their numbers.

    Args:
        reasoner: The model.
        worker: What computes with it.
        model: What it is called.
        folder: Where uploads and files to download are kept.
        upload_mb: Largest file that its server takes, in megabytes.
    """
    talks = Talks(reasoner, folder, {"ckpt": model})
    with gr.Blocks(title="videmo", analytics_enabled=False, delete_cache=CLEAN_UP) as page:
        _part("head", view.head_html(model))
        with gr.Row(elem_id="ask"):
            label = f"Clip, up to {upload_mb} MB"
            clip = gr.Video(label=label, sources=["upload"], height=280, elem_id="clip", scale=5, min_width=300)
            with gr.Column(scale=6, min_width=300):
                question = gr.Textbox(FEELING, label="Question", lines=4, elem_id="question")
                n, most = reasoner.settings.n, max(MOST, reasoner.settings.n)
                count = gr.Slider(1, most, n, step=1, label="Candidates a level", elem_id="count")
                with gr.Row(elem_id="buttons"):
                    ask = gr.Button("Reason", variant="primary", elem_id="go", min_width=90)
                    stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop", min_width=90)
        note, strip, answer = map(_part, ("note", "strip", "answer"))
        with gr.Column(visible=False, elem_id="after") as after:
            more = _part("more")
            with gr.Row(elem_id="follow"):
                next_question = gr.Textbox(label="Ask more about it", lines=1, elem_id="next", scale=8, min_width=200)
                send = gr.Button("Ask", elem_id="send", scale=1, min_width=90)
                halt = gr.Button("Stop", variant="stop", visible=False, elem_id="halt", scale=1, min_width=90)
            asking = _part("asking")
            download = gr.DownloadButton("Download JSON", elem_id="download", size="md")
        levels, talk = _part("levels"), gr.State()

        def search(clip: str | None, question: str, n: int) -> Iterator[dict]:
            """Answer a question, and show each level as it comes."""
            yield {**dict(zip(shown, nothing, strict=True)), talk: None}
            begun = time.monotonic()
            try:
                now = talks.begin(clip, question, n)
                for found in worker.run(talks.grow(now)):
                    new = {}
                    if found:
                        now = found
                        new = {levels: view.levels_html(now)} if now.reasoning else {strip: view.strip_html(now)}
                    yield new | {note: view.now_html(now, time.monotonic() - begun)}
            except InputError as error:
                yield {note: view.note_html(str(error))}
                return
            if not now.is_whole:
                yield {note: view.note_html(CLOSED)}
                return
            file = str(talks.write(now))
            yield {note: "", answer: view.answer_html(now), after: gr.update(visible=True), talk: now, download: file}

        def follow(now: Talk | None, question: str) -> Iterator[dict]:
            """Answer one more question."""
            begun = time.monotonic()
            try:
                for found in worker.run(talks.go_on(now, question)):
                    if found is None:
                        assert now is not None
                        yield {asking: view.asking_html(now, time.monotonic() - begun)}
                        continue
                    file = str(talks.write(found))
                    yield {asking: "", more: view.more_html(found), talk: found, download: file, next_question: ""}
            except InputError as error:
                yield {asking: view.note_html(str(error))}

        shown = [note, strip, answer, more, asking, levels, after]
        nothing = ["", "", "", "", "", "", gr.update(visible=False)]
        buttons = [ask, send, stop, halt]
        free = [gr.update(interactive=True)] * 2 + [gr.update(visible=False)] * 2
        busy = [gr.update(interactive=False)] * 2 + [gr.update(visible=True)] * 2
        questions = [send.click, next_question.submit]
        ask.click(None, outputs=[note, *buttons], js=_sets(["", *busy]))
        gr.on(questions, None, outputs=[asking, *buttons], js=_sets(["", *busy]))
        searching = ask.click(
            search, [clip, question, count], [*shown, download, talk], show_progress_on=note, **ONE_AT_A_TIME
        )
        following = gr.on(
            questions,
            follow,
            [talk, next_question],
            [asking, more, talk, download, next_question],
            show_progress_on=asking,
            **ONE_AT_A_TIME,
        )
        for under_way in (searching, following):  # however it ends; one that is stopped ends when the server knows
            under_way.then(None, outputs=buttons, js=_sets(free))
        stopped, ends = view.note_html(STOPPED), {"cancels": [searching, following]}
        stops = [stop.click, halt.click]
        gr.on(stops, None, outputs=[note, asking, stop, halt], js=_sets([stopped, stopped, *free[2:]]), **ends)
        clip.change(None, outputs=shown, js=_sets(nothing), **ends)  # what was said is of another

    def uploaded(file: FileData | None) -> FileData | None:
        if file and not Path(file.path).resolve().is_relative_to(folder):
            raise ValueError("a clip is a file that was uploaded here")
        return file

    own, some = Annotated[FileData | None, AfterValidator(uploaded)], Annotated[float, Field(ge=1, le=most)]
    takes = {
        search: TypeAdapter(tuple[own, str, some]),
        follow: TypeAdapter(tuple[Any, str]),
    }
    return page, {number: takes[event.fn] for number, event in page.fns.items() if event.fn in takes}


def _part(name: str, text: str = "") -> gr.HTML:
    """A part of the page that `videmo.app.view` fills, in the house's style only."""
    return gr.HTML(text, elem_id=name, apply_default_css=False)


def _sets(values: list) -> str:
    """What gives an event's outputs values in the browser, at once and without the server."""
    return f"() => {json.dumps(values)}"
