"""`videmo tables`: the paper's tables with your results beside it, in a terminal, as Markdown, CSV or one HTML page."""
