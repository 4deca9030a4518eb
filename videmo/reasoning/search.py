"""Tree search, bottom-up (paper, section 3.3): attributes, then expressions, then what a question asks.

At each level the model draws n candidates, scorers choose, and the next level goes on from the best. It is one token
tree that grows: a video is encoded and prefilled once for all levels, all questions on it and all their candidates;
questions on one video share its levels. What was chosen stays in the cache, what was not is forgotten.
"""

import math
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import torch

from videmo.affect import tree_f1
from videmo.data.records import Message, Record
from videmo.errors import InputError
from videmo.models.backbone import Backbone
from videmo.models.encoding import is_sharded
from videmo.models.generation import Generation, TreeDecoder, text_of
from videmo.reasoning.candidates import NOTHING, RATIONALE, Candidate, Group, Reasoning, Step
from videmo.reasoning.dialogue import LEVEL, SEEN, asked, draws_of, is_made_up, next_turn, task_of
from videmo.reasoning.scorers import ConsensusScorer, score_groups
from videmo.reasoning.settings import EMOTION, SearchSettings
from videmo.token_tree import TreeBatch


@dataclass
class _Source:
    """What a step goes on from.

    Attributes:
        leaf: Its number in the decoder, or in the batch at first.
        dialogue: The turns that it ends.
        truncated: Whether its last turn lacks the stop token.
    """

    leaf: int
    dialogue: tuple[Message, ...] = ()
    truncated: bool = False


@dataclass
class _Line:
    """A question with the steps taken so far, or the levels of a video.

    Attributes:
        record: The question; of levels, that of the first.
        depth: How many levels come before it.
        steps: Its own.
        sources: What the next goes on from, the best first.
        above: The levels that it goes on from, where there are any.
    """

    record: Record
    depth: int = 0
    steps: list[Step] = field(default_factory=list)
    sources: list[_Source] = field(default_factory=list)
    above: "_Line | None" = None

    @property
    def all_steps(self) -> list[Step]:
        return [*(self.above.steps[: self.depth] if self.above else ()), *self.steps]


@dataclass
class _Ask:
    """A step to take: a question of a line, asked of each of its sources."""

    line: _Line
    level: str
    record: Record
    sources: list[_Source]


class TreeSearch:
    """Answers questions by search.

    Args:
        backbone: The model, in ``eval()``.
        tokenizer: Its own.
        settings: How the search goes.
        max_new_tokens: Tokens that a candidate may have, the stop token included.
        why: Asked at last of an answer about an emotion, for its rationale; nothing where not given.

    Raises:
        InputError: If a setting makes no sense.
    """

    def __init__(
        self, backbone: Backbone, tokenizer, settings: SearchSettings, max_new_tokens: int, why: str | None = None
    ) -> None:
        settings.check()
        most = backbone.config.get_text_config().max_position_embeddings
        if max_new_tokens > most:
            raise InputError(f"max_new_tokens {max_new_tokens} is more than the model has positions, {most}; lower it")
        self.backbone, self.tokenizer, self.settings = backbone, tokenizer, settings
        self.max_new_tokens, self.why = max_new_tokens, why

    def __call__(self, batch: TreeBatch) -> list[Reasoning]:
        """Search for the answers to a batch of questions.

        Args:
            batch: Their prompts, and behind them those of ``SearchSettings.first_records``.

        Returns:
            What came of each question, in the batch's order.
        """
        (*_, last) = self.grow(batch)
        return last

    @torch.no_grad()
    def grow(self, batch: TreeBatch) -> Iterator[list[Reasoning]]:
        """The search level by level: after each, every question with the steps so far."""
        begun = time.perf_counter()
        settings, levels, lines, looks = self.settings, {}, [], []
        for number, record in enumerate(batch.records):
            line = _Line(record, sources=[_Source(number)])
            if record.source == LEVEL:
                levels[record.videos] = line
            elif record.source == SEEN:
                looks.append(number)
            else:
                line.depth = settings.depth(record)
                lines.append(line)
        for line in lines:
            line.above = levels[line.record.videos] if line.depth else None
        asks = [
            *(_Ask(line, settings.level(line.record), line.record, line.sources) for line in lines if not line.depth),
            *(_Ask(line, next(iter(settings.levels)), line.record, line.sources) for line in levels.values()),
        ]
        leaves = [*(ask.sources[0].leaf for ask in asks), *looks]
        first = torch.tensor(leaves, dtype=torch.long, device=batch.input_ids.device)
        decoder = TreeDecoder(self.backbone, batch, first)
        seen = dict(zip((batch.records[n].videos for n in looks), self._presence(decoder, len(asks)), strict=True))
        for number in range(len(settings.levels) + 1 + (self.why is not None)):
            if not asks and not is_sharded(self.backbone):  # where it is, others may have more to ask
                break
            self._take(decoder, asks, begun, fed=number > 0)
            yield [Reasoning(line.record, line.all_steps, seen.get(line.record.videos)) for line in lines]
            asks = self._next(lines, levels.values(), asks)

    def levels_of(self, record: Record) -> list[str]:
        """Of the steps that a question takes, in order."""
        own = self.settings.level(record)
        before = [*self.settings.levels][: self.settings.depth(record)]
        return [*before, own, *([RATIONALE] if self.why and own == EMOTION else [])]

    def _presence(self, decoder: TreeDecoder, first: int) -> list[float]:
        """From the leaves that ask it on: how likely a yes is, and not a no."""
        words = [self.tokenizer(word, add_special_tokens=False).input_ids[0] for word in ("Yes", "No")]
        return decoder.logits[first:, words].float().softmax(-1)[:, 0].tolist()

    def _take(self, decoder: TreeDecoder, asks: Sequence[_Ask], begun: float, fed: bool) -> None:
        """Draw and choose the candidates of a step of each line."""
        settings, sources = self.settings, [(ask, source) for ask in asks for source in ask.sources]
        device = decoder.device
        if fed:
            decoder.branch(torch.tensor([source.leaf for _, source in sources], dtype=torch.long, device=device))
            decoder.feed([self._turn(ask, source) for ask, source in sources])
        decoder.branch(torch.arange(len(sources), device=device).repeat_interleave(settings.n))
        generations = decoder.draw(
            max_new_tokens=self.max_new_tokens,
            eos_token_id=self.tokenizer.eos_token_id,
            sampling=settings.sampling,
            draws=self._draws(sources, device),
        )
        seconds, groups, first = time.perf_counter() - begun, [], 0
        for ask in asks:
            own = generations[first : first + len(ask.sources) * settings.n]
            candidates = [self._candidate(one, number // settings.n) for number, one in enumerate(own)]
            dialogues, has_reference = [source.dialogue for source in ask.sources], not is_made_up(ask.record)
            groups.append(Group(ask.record, task_of(ask.record), candidates, dialogues, has_reference))
            first += len(own)
        scored, first = score_groups(settings.terms, groups), 0
        for ask, group, values in zip(asks, groups, scored, strict=True):
            # Candidates of one text would draw the same again.
            first_of = {group.candidates[n].text: n for n in reversed(values.best_first)}
            kept = sorted(first_of.values(), key=values.best_first.index)[: settings.beam]
            ask.line.steps.append(
                Step(
                    ask.level,
                    ask.record.question,
                    group.candidates,
                    values.totals,
                    values.parts,
                    values.missing,
                    kept,
                    _agreement(group, kept[0]),
                    seconds,
                )
            )
            ask.line.sources = [self._source(ask, group.candidates[number], first + number) for number in kept]
            first += len(group.candidates)

    def _next(self, lines: Sequence[_Line], levels: Collection[_Line], asks: Sequence[_Ask]) -> list[_Ask]:
        """The steps that follow from those just taken."""
        found, just = [], {id(ask.line): ask for ask in asks}
        for line in levels:
            taken = len(line.steps)
            if id(line) in just and any(other.above is line and other.depth > taken for other in lines):
                level, question = [*self.settings.levels.items()][taken]
                found.append(_Ask(line, level, asked(question, line.record.videos, LEVEL), line.sources))
        for line in lines:
            if line.above and not line.steps and line.depth == len(line.above.steps):
                found.append(_Ask(line, self.settings.level(line.record), line.record, line.above.sources))
            elif self.why and id(line) in just and just[id(line)].level == EMOTION:
                found.append(_Ask(line, RATIONALE, asked(self.why, line.record.videos, LEVEL), line.sources[:1]))
        return found

    def _draws(self, sources: Sequence[tuple[_Ask, _Source]], device) -> torch.Tensor | None:
        """What decides every draw, [sources * n, max_new_tokens]; nothing where none is by chance."""
        if self.settings.sampling is None or not sources:
            return None
        draws = [
            draws_of(
                self.settings.n,
                self.max_new_tokens,
                self.settings.seed,
                ask.record.videos,
                *(turn.content for turn in source.dialogue),
                ask.record.question,
            )
            for ask, source in sources
        ]
        return torch.cat(draws).to(device)

    def _turn(self, ask: _Ask, source: _Source) -> torch.Tensor:
        tokens = next_turn(self.tokenizer, source.dialogue, ask.record.question)
        stop = torch.tensor([self.tokenizer.eos_token_id] * source.truncated, dtype=torch.long)
        return torch.cat((stop, tokens))

    def _candidate(self, one: Generation, parent: int) -> Candidate:
        text = text_of(self.tokenizer, one.tokens)
        return Candidate(text, parent, one.logps.mean().item(), len(one.logps), not one.finished)

    def _source(self, ask: _Ask, one: Candidate, leaf: int) -> _Source:
        before = ask.sources[one.parent].dialogue
        turns = (*before, Message("user", ask.record.question)) if before else ask.record.prompt
        return _Source(leaf, (*turns, Message("assistant", one.text or NOTHING)), one.truncated)


def _agreement(group: Group, best: int) -> float:
    """How far the candidates agree with one of them."""
    if len(group.candidates) == 1:
        return math.exp(group.candidates[0].logp)
    if not group.is_caption:
        return ConsensusScorer()([group])[0][best] or 0.0
    tree, *others = [group.trees[best], *group.trees[:best], *group.trees[best + 1 :]]
    return fmean(tree_f1(other, tree) for other in others) if tree.children else 0.0
