"""videmo curate: instruction data from videos with labels."""
