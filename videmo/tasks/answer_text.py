"""What of a model's output is its answer.

The structure of an output says most: thoughts are dropped, then ``<answer>``, ``\\boxed{}``, the values of a JSON
object, or what follows "the answer is" stands for all of it; what is headed as an explanation is left out. The rest is
brought to one spelling (`clean`), and idioms are put plainly. A refusal is no answer, unless a "but", or a guess, goes
on after it.
"""

import re
import unicodedata

import yaml

from videmo.tasks.idioms import put_plainly

_FEW_WORDS = 4
_BEGINNING, _END = 2000, 4000  # characters that are read of an answer that is longer: most are loops
_RUN = re.compile(r"([^\w])\1{3,}")
_LONGEST_OBJECT = 10_000  # characters; what is longer is read as text
_TURN_END = re.compile(r"<\|(?:im_end|endoftext|eot_id)\|>|</s>")
_THOUGHTS = re.compile(r"<(think|thinking|thought|reasoning|analysis)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHTS_END = re.compile(r"</(?:think|thinking|thought|reasoning|analysis)>", re.IGNORECASE)
_ANSWER_TAG = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)
_LATEX_STYLE = re.compile(r"\\(?:text|mathrm|mathbf|mathit|mathsf)\w{0,2}\s*\{([^{}]*)\}")
_BOXED = re.compile(r"\\boxed\s*\{([^{}]*)\}")
_FENCE = re.compile(r"```[ \t]*\w*")
_STRUCK = re.compile(r"~~[^~\n]*~~")
_MARKUP = re.compile(r"[*`#>\"“”«»]+|\$|\\[()\[\]]")
_SCRIPTS_MEET = re.compile(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])")
_PUNCTUATION = str.maketrans(
    {"。": ". ", "、": ",", "’": "'", "‘": "'", "【": "(", "】": ")", "「": " ", "」": " ", "『": " ", "』": " "}
    | {"《": " ", "》": " ", "–": "-", "—": "-", "✅": "✓", "✔": "✓", "☑": "✓", "❌": "✗", "✘": "✗", "\ufe0f": None}
)

_ANSWER_KEY = re.compile(
    r"(?:(?:final|my|correct|predicted|selected|chosen)[ _]?)?"
    r"(?:answer|choice|prediction|option|label|output|result|response)s?(?:[ _](?:letter|text))?|答案|选项",
    re.IGNORECASE,
)
_ASIDE_KEY = re.compile(
    r"reason|explan|rational|evidence|thought|think|analy|descri|justif|comment|note|cue|confiden|probab|certain|"
    r"options|candidate|question|alternat|second|runner|理由|原因|解释|置信",
    re.IGNORECASE,
)

# Where an answer begins. "Final" ones outrank the others, so that a corrected answer is not held against the first.
_ANSWER_IS = (
    r"(?:\banswers?\b(?:(?!\bnot\b)[^.\n]){0,30}?(?:\b(?:is|are|would be|must be|should be)\b|[:=]|->|→)"
    r"|\banswers?\s*(?:-|\n|(?=\(?[A-Z]\b))|\bin conclusion\b[,:]|\b(?:prediction|verdict|conclusion"
    r"|decision)\s*(?::|\bis\b)"
    r"|(?<=\?)\s*A:|(?:答案|结论|选择)(?:应该|应当|就)?\s*[是为选:])\s*(?!based|derived|because|given\b)(?=\S)"
)
_FINAL_ANSWER_IS = re.compile(
    rf"\b(?:final|last|corrected|revised|updated|definitive)\s[^.\n]{{0,20}}?(?:{_ANSWER_IS}|[:\n]\s*(?=\S))"
    rf"|(?:最终|最后)的?\s*{_ANSWER_IS}",
    re.IGNORECASE,
)
_ANY_ANSWER_IS = re.compile(_ANSWER_IS, re.IGNORECASE)
_EXPLANATION = re.compile(
    r"(?<=\S)[\s(]*\b(?:(?:brief |short )?explanation|reasoning|reasons?|rationale|justification|analysis"
    r"|evidence|why)\s*:"
    r"|(?<=\S)\s*(?:解释|理由|原因|分析|说明|依据)\s*(?::|是|如下)",
    re.IGNORECASE,
)

_ASK = (
    r"(?:tell|told|determin|sa[yi]|see|identif|confirm|recogni[sz]|answer|help|assist|provid|kn[eo]w|judg|assess|"
    r"compar|verif|access|watch|view|decid|infer|establish|discern|ascertain|analy[sz]|classif|perceiv|comment|guess|"
    r"conclud|distinguish|evaluat|read|pick|choose|select|process|open|label|detect|describ|list|make out|"
    r"be (?:\w+ )?(?:sure|certain))\w*"
)
_THIRD_PERSON = r"(?<!\bhe )(?<!\bshe )(?<!\bthey )(?<!\bwho )(?<!\bman )(?<!\bperson )(?<!\bspeaker )"
_REFUSAL = re.compile(
    rf"{_THIRD_PERSON}\b(?:"
    rf"(?:can ?not|can't|could not|couldn't|won't|will not|would rather not|"
    rf"(?:unable|not able|impossible|difficult|hard|tough|not possible|not appropriate|not comfortable|refuse"
    rf"|decline) to)"
    rf" (?:\w+ ){{0,2}}{_ASK}"
    r"|(?:i|we|it) (?:do not|don't|does not|doesn't) (?:have|know|feel comfortable|provide)"
    r"|do(?:n't| not) know"
    r"|not (?:\w+ )?(?:know|sure|certain|clear|confident|possible to|enough (?:information|evidence|context"
    r"|detail|data))\b"
    r"|(?:is|are|'s)n't (?:\w+ )?(?:clear|enough (?:information|evidence|context|detail|data)|possible to|sufficient)"
    r"|(?:is|are|remains?|i'm|i am|it's) (?:\w+ly )?(?:unsure|unclear|uncertain|unknown|undetermined"
    r"|indeterminate|inconclusive)"
    r"|no idea|too \w+ to (?:tell|say|see|judge|determine|identify)|(?:may|might|could) or (?:may|might"
    r"|could) not|or not(?=\W*$)"
    r"|insufficient|no (?:video|information)\b|as an ai|as a language model"
    r"|i(?:'m| am) sorry|apologi[sz]e|my apologies"
    r")|^\W*(?:sorry|unsure|unclear|uncertain|unknown|undetermined|indeterminate|inconclusive)\b"
    r"|无法|不能(?:判断|确定|识别|分辨|看出|回答)|难以|不知道|不确定|不清楚|看不[出清]|抱歉|对不起|没有足够|作为.{0,4}(?:AI|人工智能)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\b(?:but|however|though|still|nevertheless|nonetheless|yet|that said|(?:best|my|a) guess(?: (?:is|would be))?"
    r"|if i (?:had|have|were|must) [^,.]{0,30},?|i(?:'d| would) (?:guess|say|go with)|most likely)\b[,:]?"
    r"|但是?|不过|然而",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"\W*(?:i|we|you)(?: can|'d be| would be| could| may|'m able| am able| might|'ll| will)\b|我可以|so to say",
    re.IGNORECASE,
)
_CONCESSION = re.compile(
    r"\b(?:while|although|though|even if|even though|whereas)\b[^.,;\n]*$|(?:虽然|尽管)[^.,;\n]*$", re.IGNORECASE
)


def clean(text: str) -> str:
    """Text without markdown marks, with half-width punctuation and one kind of quotation mark."""
    text = unicodedata.normalize("NFKC", text).translate(_PUNCTUATION)
    return _MARKUP.sub("", text).strip()


def answer_text(text: str) -> str | None:
    """The part of an output that is its answer, cleaned; None for a refusal, empty where nothing is left.

    Example:
        >>> answer_text("<think>A or B?</think> **Final answer:** B"), answer_text("I cannot tell.")
        ('B', None)
    """
    text = _RUN.sub(r"\1\1\1", _structured_answer(text))
    if len(text) > _BEGINNING + _END:
        text = f"{text[:_BEGINNING]}\n{text[-_END:]}"
    text = clean(text)
    text = re.sub(r"[ \t]+", " ", _SCRIPTS_MEET.sub(" ", text))
    text = put_plainly(text)
    if finals := [match.end() for match in _FINAL_ANSWER_IS.finditer(text)]:
        text = text[finals[-1] :]
    elif first := _ANY_ANSWER_IS.search(text):
        text = text[first.end() :]
    if explanation := _EXPLANATION.search(text):
        text = text[: explanation.start()]
    return _without_refusal(text)


def _structured_answer(text: str) -> str:
    """What tags, a box or an object mark as the answer; else the text, without thoughts and struck-out words."""
    text = _TURN_END.split(text, maxsplit=1)[0]
    text = _THOUGHTS_END.split(_THOUGHTS.sub(" ", text))[-1]
    if tagged := [content for content in _ANSWER_TAG.findall(text) if content.strip()]:
        text = tagged[-1]
    text = _STRUCK.sub(" ", text)
    text = _LATEX_STYLE.sub(r"\1", text)
    if boxed := [content for content in _BOXED.findall(text) if content.strip()]:
        return boxed[-1]
    text = _FENCE.sub(" ", text)
    return "\n".join(_statements(found)) if (found := _object_in(text)) else text


def _object_in(text: str) -> dict | list | None:
    """The JSON (or Python) object or list of objects within a text."""
    start, end = text.find("{"), text.rfind("}") + 1
    if not 0 <= start < end or end - start > _LONGEST_OBJECT:
        return None
    if text[:start].rstrip().endswith("[") and text[end:].lstrip().startswith("]"):
        start, end = text.rfind("[", 0, start), text.find("]", end) + 1
    try:
        found = yaml.safe_load(text[start:end])  # JSON is YAML; so are single quotes and True
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _statements(value: object, key: str = "") -> list[str]:
    """An object as lines ``key: value``, of its answer keys alone if it has some, without explanations and the like."""
    if isinstance(value, dict):
        if answers := [each for name, each in value.items() if _ANSWER_KEY.fullmatch(str(name))]:
            return [line for each in answers for line in _statements(each)]
        named = ((str(name), each) for name, each in value.items() if not _ASIDE_KEY.search(str(name)))
        return [line for name, each in named for line in _statements(each, name)]
    if isinstance(value, list):
        return [line for each in value for line in _statements(each, key)] or ["none"]
    said = {True: "yes", False: "no", None: ""}[value] if value is None or isinstance(value, bool) else value
    return [f"{key}: {said}".strip(": ")]


def _without_refusal(text: str) -> str | None:
    """A text from what goes on after its refusal, if any; None if nothing does.

    What stands in a paragraph after a few words by themselves ("Sad") comments on them and refuses nothing.
    """
    paragraph, _, comments = text.strip().partition("\n\n")
    if len(paragraph.split()) <= _FEW_WORDS and _REFUSAL.search(comments) and not _REFUSAL.search(paragraph):
        return paragraph
    while refusal := _REFUSAL.search(text):
        rest = text[refusal.end() :]
        if _CONCESSION.search(text[: refusal.start()]) and (comma := re.search(r"[,;]", rest)):
            text = rest[comma.end() :]
        elif (goes_on := _GOES_ON.search(rest)) and not _OFFER.match(rest, goes_on.end()):
            text = rest[goes_on.end() :]
        else:
            return None
    return text.strip()
