"""``videmo score``: answers on disk scored without a model."""
