"""`videmo tables`: the paper's tables with your results, in a terminal, as Markdown, CSV or one HTML page."""
