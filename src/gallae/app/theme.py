"""Streamlit's settings: colours of the reports, the package's own font, nothing that leaves the machine."""

from __future__ import annotations

from typing import Any

from gallae.evaluation.font import FAMILY, FONT

UPLOAD_MB = 100
FONT_URL = f"fonts/{FONT.name}"

# Text on its background has at least 4.5 : 1 (WCAG 2.2, AA); tests/app/test_theme.py measures it.
LIGHT = {
    "primaryColor": "#2b6499",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f2f5f8",
    "textColor": "#1f2a36",
    "linkColor": "#2b6499",
    "borderColor": "#c3ccd6",
}
DARK = {
    "primaryColor": "#3f7cb3",
    "backgroundColor": "#161b21",
    "secondaryBackgroundColor": "#1f262e",
    "textColor": "#e4e9ee",
    "linkColor": "#8fbfe6",
    "borderColor": "#465362",
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
    """Return fonts and colours, light and dark, by their dotted names."""
    fonts = {
        "theme.fontFaces": [{"family": FAMILY, "url": FONT_URL, "weight": "400"}],
        "theme.font": f"{FAMILY}, sans-serif",
        "theme.headingFont": f"{FAMILY}, sans-serif",
        "theme.headingFontSizes": ["2rem", "1.4rem", "1.15rem", "1rem", "1rem", "1rem"],
        "theme.baseRadius": "small",
        "theme.showWidgetBorder": True,
        "theme.chartCategoricalColors": ["#2f6fa8", "#d17a22", "#2a9175", "#8a5fa8", "#9aa5b1"],
    }
    colours = {"light": LIGHT, "dark": DARK}
    return fonts | {
        f"theme.{mode}.{name}": value for mode, table in colours.items() for name, value in table.items()
    }
