"""``videmo stats DATA``: the pictures of a dataset, as figures 6 to 8 of the paper show them of Emo-CFG."""
