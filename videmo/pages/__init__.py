"""What every page of ours is made with: the house's style, templates whose texts are escaped, and their colours."""

from videmo.pages.house import colours, environment, printable_page, style

__all__ = ["colours", "environment", "printable_page", "style"]
