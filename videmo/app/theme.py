"""How Gradio's own parts look: in the house's colours and the fonts that a machine has, so that none is fetched."""

from importlib.resources import files

from gradio.themes import Base

PAPER, SHEET, INK, SOFT, RULE, WASH, ACCENT = (
    f"var(--{name})" for name in ("paper", "sheet", "ink", "soft", "rule", "wash", "accent")
)
_COLOURS = {  # the house's variables know light and dark, so both of Gradio's are the same
    "body_background_fill": PAPER,
    "body_text_color": INK,
    "body_text_color_subdued": SOFT,
    "background_fill_primary": SHEET,
    "background_fill_secondary": WASH,
    "block_background_fill": SHEET,
    "block_border_color": RULE,
    "block_label_background_fill": SHEET,
    "block_label_border_color": RULE,
    "block_label_text_color": SOFT,
    "block_title_text_color": SOFT,
    "block_info_text_color": SOFT,
    "border_color_primary": RULE,
    "border_color_accent": ACCENT,
    "button_border_width": "1px",
    "button_primary_background_fill": ACCENT,
    "button_primary_background_fill_hover": INK,
    "button_primary_border_color": ACCENT,
    "button_primary_text_color": PAPER,
    "button_secondary_background_fill": SHEET,
    "button_secondary_background_fill_hover": WASH,
    "button_secondary_border_color": RULE,
    "button_secondary_text_color": INK,
    "color_accent_soft": WASH,
    "error_background_fill": SHEET,
    "input_background_fill": SHEET,
    "input_border_color": RULE,
    "input_border_color_focus": ACCENT,
    "input_placeholder_color": "var(--faint)",
    "link_text_color": ACCENT,
    "loader_color": ACCENT,
    "slider_color": ACCENT,
}
_NO_PREVIEW = """
for (const kind of ["error", "loadeddata"]) addEventListener(kind, event => {
  if (event.target.tagName !== "VIDEO") return;
  event.target.parentElement.toggleAttribute("data-no-preview", kind === "error");
  if (kind === "error") event.stopImmediatePropagation();
}, true);
"""
"""Gradio takes a clip that the browser cannot play, such as AVI, for an error; the model does read it."""
_BOTH = {name: value for plain, value in _COLOURS.items() for name in (plain, f"{plain}_dark")}


def house_theme() -> Base:
    """Gradio's plainest theme in the house's colours."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Inter", "Helvetica Neue", "Arial", "sans-serif")
    return Base(font=sans, font_mono=("ui-monospace", "Consolas", "monospace")).set(**_BOTH)


def house_head() -> str:
    """The house's colours, how the parts of a talk look, and what a clip does that cannot be played; for the page's
    head, as Gradio drops rules for dark from what it takes as CSS.
    """
    styles = (files("videmo.pages") / "colours.css", files("videmo.app") / "app.css")
    css = "".join(style.read_text(encoding="utf-8") for style in styles)
    return f"<style>{css}</style><script>{_NO_PREVIEW}</script>"
