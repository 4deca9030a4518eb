"""The affective tree of a caption: tree, lexicon of its labels, the parser between them, edit distance and pictures."""

from videmo.affect.edit_distance import EditCosts, edit_distance, edit_distances, tree_rewards
from videmo.affect.edit_script import Edit, edit_script
from videmo.affect.lexicon import canonical, load_lexicon
from videmo.affect.parser import caption_tree, parse_caption
from videmo.affect.picture import draw_edit, draw_tree
from videmo.affect.tree import AffectiveTree, pair_f1, tree_f1

__all__ = [
    "AffectiveTree",
    "Edit",
    "EditCosts",
    "canonical",
    "caption_tree",
    "draw_edit",
    "draw_tree",
    "edit_distance",
    "edit_distances",
    "edit_script",
    "load_lexicon",
    "pair_f1",
    "parse_caption",
    "tree_f1",
    "tree_rewards",
]
