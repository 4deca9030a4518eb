"""``videmo check DATA``: every record and video of a data folder tried as training would, before it does."""
