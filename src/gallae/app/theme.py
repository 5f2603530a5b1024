"""Streamlit's settings: colours of the reports, the package's own font, nothing that leaves the machine."""

from __future__ import annotations

from typing import Any

from gallae.evaluation.font import FAMILY, FONT

UPLOAD_MB = 100
FONT_URL = f"fonts/{FONT.name}"

# One light theme: text on its background has at least 4.5 : 1 (WCAG 2.2, AA; tests/app/test_theme.py measures
# it), which Streamlit's dark theme cannot reach, as it uses one colour for letters and beneath white letters.
INK, PAPER, CARD, LINK = "#0c1219", "#ffffff", "#f2f5f8", "#2b6499"
FAINT, WARN, WARN_CARD = "#5b6672", "#9a520c", "#fdf3e7"
SHADE = ("#f4f7fa", "#4a86be")  # of a cell, from none to all; both beneath letters of INK
COLOURS = {
    "base": "light",
    "primaryColor": LINK,
    "backgroundColor": PAPER,
    "secondaryBackgroundColor": CARD,
    "textColor": INK,
    "linkColor": LINK,
    "borderColor": "#c3ccd6",
}


def streamlit_options(host: str, port: int, browser: bool) -> dict[str, Any]:
    """Return Streamlit's settings by their dotted names.

    Args:
        host: The address to listen on.
        port: The port.
        browser: Whether to open the page in a browser.
    """
    return {
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "client.showErrorLinks": False,
        "global.developmentMode": False,
        "logger.enableRich": False,
        "logger.hideWelcomeMessage": True,
        "server.address": host,
        "server.port": port,
        "server.headless": not browser,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": UPLOAD_MB,
        "server.showEmailPrompt": False,
        **theme_options(),
    }


def theme_options() -> dict[str, Any]:
    """Return fonts and colours by their dotted names."""
    options = {
        "fontFaces": [{"family": FAMILY, "url": FONT_URL, "weight": "400"}],
        "font": f"{FAMILY}, sans-serif",
        "headingFont": f"{FAMILY}, sans-serif",
        "headingFontSizes": ["2rem", "1.4rem", "1.15rem", "1rem", "1rem", "1rem"],
        "baseRadius": "small",
        "showWidgetBorder": True,
        **COLOURS,
    }
    return {f"theme.{name}": value for name, value in options.items()}
