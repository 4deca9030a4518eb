"""How far a committee agrees beyond chance: Fleiss' kappa of its first votes."""

from collections.abc import Iterable

import torch

from videmo.committee.sample import Draft


def agreement(drafts: Iterable[Draft]) -> float | None:
    """Fleiss' kappa (1971) of the members' first votes: 1 where all agree, 0 where they agree as by chance.

    Samples on which a member gave no vote are left out, as kappa wants equally many votes on each.

    Returns:
        None without votes, or where all votes are the same, so that nothing can be told.

    Example:
        >>> agreement([])
    """
    counts = []
    for draft in drafts:
        votes = [vote.right for vote in draft.rounds[0].values()] if draft.rounds else []
        if votes and None not in votes:
            right = sum(votes)
            counts.append([right, len(votes) - right])
    if not counts or 0 in (ratings := torch.tensor(counts)).sum(0).tolist():
        return None
    from torchmetrics.functional.nominal import fleiss_kappa  # takes a second, which a command that ends early saves

    return fleiss_kappa(ratings, mode="counts").item()
