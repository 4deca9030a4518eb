"""``videmo plan``: what a run will need, before it is launched."""
