"""The affective tree of a caption: the tree, the lexicon of its labels and the parser between them."""

from videmo.affect.lexicon import canonical, load_lexicon
from videmo.affect.parser import Parse, parse_caption
from videmo.affect.tree import AffectiveTree, pair_f1, tree_f1

__all__ = ["AffectiveTree", "Parse", "canonical", "load_lexicon", "pair_f1", "parse_caption", "tree_f1"]
