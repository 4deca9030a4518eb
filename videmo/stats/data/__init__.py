"""Counts that the paper published of Emo-CFG."""
