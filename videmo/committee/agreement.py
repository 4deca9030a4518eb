"""How far a committee agrees beyond chance: Fleiss' kappa of its first votes."""

from collections.abc import Iterable

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
        cast = draft.rounds[0].values() if draft.rounds else ()
        votes = [vote.right for vote in cast if vote.right is not None]
        if votes and len(votes) == len(cast):
            right = sum(votes)
            counts.append([right, len(votes) - right])
    if not all(map(any, zip(*counts, strict=True))) or not counts:
        return None
    import torch  # takes seconds, which a command that ends early saves
    from torchmetrics.functional.nominal import fleiss_kappa

    return fleiss_kappa(torch.tensor(counts), mode="counts").item()
