"""``videmo compare``: two methods side by side."""
