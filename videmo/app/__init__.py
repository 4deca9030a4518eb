"""The command ``videmo app``: a page on this machine that reasons about a clip, level by level."""
