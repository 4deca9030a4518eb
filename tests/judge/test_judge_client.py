"""Facts about the judge against a real server with faults: every question is accounted for, nothing paid twice."""

import asyncio
import logging
import pickle
import threading
import time
from itertools import pairwise

import pytest
from judge_server import GOOD, KEY, JudgeServer, cut, raw, sample, says, silent, status
from ranks import free_port

from videmo.affect import AffectiveTree
from videmo.errors import InputError
from videmo.judge import SCORES, Judge, JudgeSettings, Question
from videmo.judge.question import USES
from videmo.judge.server import Server

PAGE = raw("<html><body>Bad gateway</body></html>", kind="text/html")


def values(verdicts):
    return [verdict.value for verdict in verdicts]


def test_three_hundred_samples_with_every_fault_are_all_accounted_for(make_judge, caplog):
    lasting = {  # sample: what happens to it each time, and what its verdict must say
        10: (status(500, "boom"), "status 500: boom"),
        20: (silent(1.5), "no reply in 1 s"),
        30: (cut, "connection failed"),
        40: (raw('{"choices": [{"mess'), "a part of one"),
        50: (PAGE, "a web page"),
        60: (raw("{}"), "no chat completion"),
        70: (raw('{"choices": []}'), "no chat completion"),
        80: (status(400, "too many tokens"), "too many tokens"),
        90: (status(429, "slow", Retry_After="0.01"), "rate limited"),
        100: (says('{"score": 130}'), "off the scale"),
        110: (says('{"score": 0.85}'), "0 to 1"),
        120: (says("Score: 7/10"), "out of 10"),
        130: (says(None), "empty"),
        140: (says(None, refusal="I'd rather not"), "declined: I'd rather not"),
        150: (says('{"score": 8', finish="length"), "cut off"),
        160: (says("<html>Score: 85</html>"), "web page"),
        170: (says('{"score": 85', finish="stop"), "cut short"),
        180: (says("", finish="content_filter"), "content filter"),
        190: (raw('{"choices": [{"message": {"content": ["a"]}}]}'), "no text"),
    }
    script = {number: [turn] for number, (turn, _) in lasting.items()}
    for number, turn in ((15, status(503)), (25, silent(1.5)), (35, cut), (45, PAGE), (55, raw("")), (65, status(408))):
        script[number] = [turn, GOOD]
    script[75] = [status(429, "slow", Retry_After="0.05"), status(429, "slow"), GOOD]
    with JudgeServer(script) as server:
        judge = make_judge(server, timeout=1.0, max_retries=2)
        verdicts = judge.ask([sample(number) for number in range(300)])
        answered = server.asked()
    assert len(verdicts) == 300
    for number, verdict in enumerate(verdicts):
        if number in lasting:
            assert verdict.value is None and lasting[number][1] in verdict.missing, number
        else:
            assert (verdict.value, verdict.missing, verdict.cached) == (85, None, False), number
    assert answered[10] == 3 and answered[80] == 1 and answered[15] == 2 and answered[100] == 1 and answered[0] == 1
    replies = [verdict for verdict in verdicts if verdict.reply is not None]
    assert len(replies) == 300 - 10 and {verdict.prompt_tokens for verdict in replies} == {100}
    assert f"{len(lasting)} of 300 distinct questions have no verdict" in caplog.text


def test_a_second_run_sends_nothing_and_a_third_only_what_it_is_told_to(make_judge):
    script = {1: [says("what?"), GOOD], 2: [status(500)] * 4 + [GOOD]}
    questions = [sample(number) for number in range(5)]
    with JudgeServer(script) as server:
        assert values(make_judge(server).ask(questions)) == [85, None, None, 85, 85]
        first = len(server.requests)
        plan = make_judge(server).plan(questions)
        assert (plan.cached, plan.missing, plan.calls) == (3, 1, 1)
        # No reply is asked for again by itself; a reply that cannot be read would only be repeated.
        second = make_judge(server).ask(questions)
        assert values(second) == [85, None, 85, 85, 85] and len(server.requests) == first + 1
        assert [verdict.cached for verdict in second] == [True, True, False, True, True]
        assert second[1].reply == "what?"
        make_judge(server).ask(questions)
        assert len(server.requests) == first + 1
        assert values(make_judge(server, retry_missing=True).ask(questions)) == [85] * 5
        assert len(server.requests) == first + 2


def test_a_rate_limit_stops_all_workers_for_as_long_as_the_server_says(make_judge):
    with JudgeServer({3: [status(429, "slow", Retry_After="1"), GOOD]}) as server:
        assert values(make_judge(server, concurrency=4).ask([sample(n) for n in range(40)])) == [85] * 40
        times = [request["time"] for request in server.requests]
    assert max(later - earlier for earlier, later in pairwise(times)) > 0.8
    # Those that were under way came before the pause; all workers, and not only the one that was limited, kept it.
    assert sum(later > times[3] + 0.8 for later in times) > 30


def test_a_question_that_is_limited_waits_its_turn_as_long_as_others_are_answered(make_judge):
    def slowly(handler, request):
        time.sleep(0.01)
        GOOD(handler, request)

    with JudgeServer({3: [status(429, "slow", Retry_After="0.1")] * 6 + [GOOD]}, otherwise=slowly) as server:
        judge = make_judge(server, concurrency=4, max_retries=2)
        assert values(judge.ask([sample(n) for n in range(60)])) == [85] * 60
        assert server.asked()[3] == 7


def test_one_question_that_is_refused_does_not_end_a_run_of_one_worker(make_judge):
    with JudgeServer({1: [status(400)], 2: [status(500)]}) as server:
        judge = make_judge(server, concurrency=1)
        assert values(judge.ask([sample(n) for n in range(5)])) == [85, None, None, 85, 85]


def test_requests_keep_their_rate_and_their_number(make_judge):
    with JudgeServer(otherwise=lambda handler, request: (time.sleep(0.02), GOOD(handler, request))) as server:
        make_judge(server, concurrency=3).ask([sample(n) for n in range(20)])
        assert server.most_at_once == 3
        before = time.monotonic()
        make_judge(server, requests_per_minute=1200).ask([sample(n) for n in range(20, 32)])
        assert time.monotonic() - before >= 11 * 0.05
        times = [request["time"] for request in server.requests[20:]]
        assert times[-1] - times[0] < 3


def test_equal_questions_are_asked_once_and_keep_their_places(make_judge):
    with JudgeServer({1: [says('{"score": 10}')]}) as server:
        verdicts = make_judge(server).ask([sample(1), sample(2), sample(1), sample(2), sample(1)])
        assert values(verdicts) == [10, 85, 10, 85, 10] and server.asked() == {1: 1, 2: 1}
        assert make_judge(server).ask([]) == []


def test_a_schema_is_sent_until_the_server_refuses_it_which_is_said_once(make_judge, caplog):
    def turn(handler, request):
        refuses = "response_format" in request
        (status(400, "response_format is not supported") if refuses else GOOD)(handler, request)

    with JudgeServer() as server:
        make_judge(server).ask([sample(1)])
        schema = server.requests[0]["body"]["response_format"]["json_schema"]["schema"]
        assert schema["properties"] == {"score": {"type": "number"}}
    with JudgeServer(otherwise=turn) as server:
        judge = make_judge(server, concurrency=2)
        assert values(judge.ask([sample(n) for n in range(2, 30)])) == [85] * 28
        judge.ask([sample(n) for n in range(30, 40)])
        with_schema = sum("response_format" in request["body"] for request in server.requests)
    assert with_schema <= 2 and caplog.text.count("takes no JSON schema") == 1


def test_prompts_in_words_of_ones_own_are_sent_as_they_are_and_read(make_judge, tmp_path):
    replies = {
        "labels": ("task_labels", "Answer: sad", ("Sad",)),
        "yes_no": ("reference", "Yes.", True),
        "caption": ("reference", "Score: 85", 85),
        "understanding": ("reference", ", ".join(f"{name}: {70 + len(name)}" for name in SCORES), None),
        "tree": ("caption", "video(person: man)", AffectiveTree.from_compact("video(person: man)")),
    }
    kinds = {"caption": "score\nscale: [0, 100]", "understanding": "scores\nscale: [1, 100]"}
    for use, (field, _, _) in replies.items():
        text = f"version: r1\nreply: {kinds.get(use, use)}\nuser: 'USE {use} {{{field}}}"
        (tmp_path / f"{use}.yaml").write_text(text + ("'" if use == "tree" else " {response}'"))

    def turn(handler, request):
        says(replies[request["messages"][-1]["content"].split()[1]][1])(handler, request)

    texts = {"task_labels": "Happy\nSad", "question": "", "reference": "sad", "response": "sad", "caption": "A man."}
    questions = [Question(use, {name: texts[name] for name in USES[use].fields}) for use in replies]
    with JudgeServer(otherwise=turn) as server:
        found = values(make_judge(server, prompts=str(tmp_path)).ask(questions))
        assert not any("response_format" in request["body"] for request in server.requests)
        assert all(len(request["body"]["messages"]) == 1 for request in server.requests)
    assert found[3] == {name: 70 + len(name) for name in SCORES}
    assert found[:3] + found[4:] == [value for _, _, value in replies.values() if value is not None]


def test_a_model_that_wants_another_name_for_its_bound_gets_it(make_judge):
    def turn(handler, request):
        refuses = "max_tokens" in request
        (status(400, "Use 'max_completion_tokens' instead.") if refuses else GOOD)(handler, request)

    with JudgeServer(otherwise=turn) as server:
        assert values(make_judge(server, temperature=None, max_tokens=77).ask([sample(1)])) == [85]
        body = server.requests[-1]["body"]
    assert body["max_completion_tokens"] == 77 and "temperature" not in body


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        (status(401, "Incorrect key"), "OPENAI_API_KEY was refused"),
        (status(404, "no such model"), "no model judge-1"),
        (status(403, "not in your region"), "not in your region"),
        (status(429, "insufficient_quota"), "insufficient_quota"),
        (status(429, "daily limit", Retry_After="7200"), "120 minutes"),
    ],
)
def test_what_is_so_for_every_question_ends_the_run_at_once(make_judge, turn, why):
    with JudgeServer(otherwise=turn) as server:
        with pytest.raises(InputError, match=why):
            make_judge(server).ask([sample(number) for number in range(100)])
        assert len(server.requests) <= 8


def test_no_key_is_needed_by_a_server_that_wants_none(make_judge, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with JudgeServer() as server:
        assert values(make_judge(server).ask([sample(1)])) == [85]
    with JudgeServer(otherwise=status(401)) as server, pytest.raises(InputError, match="is not set"):
        make_judge(server).ask([sample(2)])


def test_a_server_that_is_not_there_is_one_sentence(make_judge, monkeypatch):
    ask, sent = Server.ask, []

    def counted(server, *request):
        sent.append(request)
        return ask(server, *request)

    monkeypatch.setattr(Server, "ask", counted)
    with free_port() as port, pytest.raises(InputError, match=r"no judge at http://127\.0\.0\.1"):
        make_judge(f"http://127.0.0.1:{port}/v1", concurrency=4).ask([sample(number) for number in range(1000)])
    assert 3 <= len(sent) <= 4 * 3  # each worker's first question, which is repeated twice


def test_a_server_that_fails_for_every_question_ends_the_run_and_what_came_back_is_kept(make_judge):
    script = {number: [status(500)] for number in range(10, 1000)}
    with JudgeServer(script) as server:
        with pytest.raises(InputError, match="8 questions in a row failed"):
            make_judge(server).ask([sample(number) for number in range(1000)])
        assert len(server.requests) < 150
        assert make_judge(server).plan([sample(number) for number in range(10)]).cached > 0
        # The last ones of a run just fail: there is nothing left to spare.
        assert values(make_judge(server).ask([sample(number) for number in range(15)])) == [85] * 10 + [None] * 5


def test_a_server_that_refuses_all_ends_the_run_with_what_it_says(make_judge):
    with JudgeServer(otherwise=status(400, "temperature is not supported")) as server:
        judge, ends = make_judge(server), pytest.raises(InputError, match=r"64 questions in a row .* is not supported")
        with ends:
            judge.ask([sample(number) for number in range(500)])


def test_the_key_is_sent_to_the_server_and_stands_nowhere_else(make_judge, tmp_path, caplog, capfd):
    echo = f"Incorrect API key provided: {KEY}. Header: Bearer {KEY}"
    script = {
        1: [status(500, echo)],
        2: [says(f"Score: {KEY}")],
        3: [raw(f"<html>{KEY}</html>")],
        4: [says(None, refusal=KEY)],
        5: [status(400, echo)],
    }
    caplog.set_level(logging.DEBUG)
    with JudgeServer(script) as server:
        judge = make_judge(server)
        verdicts = judge.ask([sample(number) for number in range(6)])
        assert server.requests[0]["headers"]["authorization"] == f"Bearer {KEY}"
        server.script = {9: [status(401, echo)]}
        with pytest.raises(InputError) as found:
            judge.ask([sample(9)])
    assert sum(verdict.value is None for verdict in verdicts) == 5 and "(key)" in verdicts[1].missing
    said = [repr(judge), repr(judge.settings), repr(judge.identity), repr(verdicts), str(found.value), caplog.text]
    said += [repr(pickle.dumps(judge)), *capfd.readouterr(), str(judge.plan([sample(1)]))]
    assert not [text for text in said if KEY in text]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files and not [file for file in files if KEY.encode() in file.read_bytes()]


def test_a_key_given_in_the_wrong_place_is_refused_and_not_repeated(monkeypatch):
    for settings in (
        {"api_key_env": KEY},
        {"base_url": f"http://user:{KEY}@localhost/v1"},
        {"base_url": f"http://localhost/v1?key={KEY}"},
    ):
        with pytest.raises(InputError) as found:
            JudgeSettings(**{"base_url": "http://localhost/v1", "model": "m"} | settings).check()
        assert KEY not in str(found.value)
    assert KEY not in repr(JudgeSettings("http://localhost/v1", "m", api_key_env=KEY))
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY} x")
    with pytest.raises(InputError) as found:
        JudgeSettings("http://localhost/v1", "m").key()
    assert KEY not in str(found.value)


@pytest.mark.parametrize(
    "bad",
    [
        {"base_url": "localhost:8000"},
        {"base_url": "http://localhost/v1/chat/completions"},
        {"model": " "},
        {"concurrency": 0},
        {"timeout": 0},
        {"max_retries": -1},
        {"price_in": 1.0},
    ],
)
def test_a_setting_that_cannot_work_is_refused(bad):
    with pytest.raises(InputError, match=r"judge\."):
        Judge(JudgeSettings(**{"base_url": "http://localhost/v1", "model": "m"} | bad))


def test_a_plan_counts_without_sending(make_judge):
    questions = [sample(1), sample(1), sample(2), Question("tree", {"caption": "A sad man."})]
    with JudgeServer() as server:
        judge = make_judge(server, price_in=2.0, price_out=8.0)
        plan = judge.plan(questions)
        assert not server.requests
    assert (plan.questions, plan.distinct, plan.cached, plan.calls) == (4, 3, 0, 3)
    assert plan.max_completion_tokens == 200 + 200 + 2048
    letters = sum(len(m["content"]) for q in dict.fromkeys(questions) for m in judge.prompts[q.use].messages(q.fields))
    assert plan.prompt_tokens == pytest.approx(letters / 4 + 3 * 2 * 4, abs=6)
    assert plan.max_cost == pytest.approx((plan.prompt_tokens * 2 + plan.max_completion_tokens * 8) / 1e6)
    assert "3 calls" in str(plan)


def test_a_running_loop_does_not_stand_in_the_way(make_judge):
    async def notebook():
        return judge.ask([sample(1)])

    with JudgeServer() as server:
        judge = make_judge(server)
        assert values(asyncio.run(notebook())) == [85]


def test_threads_may_ask_through_one_cache(make_judge):
    with JudgeServer() as server:
        judges = [make_judge(server) for _ in range(3)]
        found = {}
        threads = [
            threading.Thread(target=lambda n=n: found.update({n: judges[n].ask([sample(i) for i in range(30)])}))
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [values(found[number]) for number in range(3)] == [[85] * 30] * 3


def test_the_identity_names_model_prompts_and_temperature(make_judge):
    judge = make_judge("http://localhost:1/v1")
    assert judge.identity["model"] == "judge-1" and judge.identity["temperature"] == 0
    assert judge.identity["prompts"]["tree"] == {"version": "1", "hash": judge.prompts["tree"].hash}
