"""Vision models that look at clips: one writes samples about them, three or more vote on each (section 4)."""
