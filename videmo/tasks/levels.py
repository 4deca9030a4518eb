"""The levels of the affective tree, from the bottom, and what a search asks at each (paper, section 3.3)."""

LEVELS = ("attribute", "expression", "emotion")
LEVEL_QUESTIONS = {
    "attribute": "Describe the person's appearance.",
    "expression": "Describe the person's facial expressions and actions.",
}
"""What is asked of a video before a question about its emotion, each after what was answered before."""
FEELING = "Describe the person's emotion."
"""What is asked of a video where nothing else is."""
PRESENCE = "Is there a person in the video? Answer Yes or No."
"""What tells whether there is anything to reason about."""
WHY = "How can you tell?"
"""What is asked at last, for the rationale."""
