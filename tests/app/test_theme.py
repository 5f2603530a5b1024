"""Contrast (WCAG 2.2, AA), and that nothing leaves the machine."""

import pytest

from gallae.app import theme


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def faded(colour, ground, share=0.6):
    """What Streamlit makes of small print: letters of 60 % opacity."""
    mixed = [
        round(share * int(colour[at : at + 2], 16) + (1 - share) * int(ground[at : at + 2], 16))
        for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in mixed)


@pytest.mark.parametrize(
    ("letters", "ground"),
    [
        (theme.INK, theme.PAPER),
        (theme.INK, theme.CARD),
        (theme.LINK, theme.PAPER),
        (theme.LINK, theme.CARD),
        (theme.PAPER, theme.LINK),
        (theme.FAINT, theme.PAPER),
        (theme.FAINT, theme.CARD),
        (theme.WARN, theme.WARN_CARD),
        (theme.INK, theme.SHADE[0]),
        (theme.INK, theme.SHADE[1]),
        (faded(theme.INK, theme.PAPER), theme.PAPER),
        (faded(theme.INK, theme.CARD), theme.CARD),
    ],
)
def test_letters_can_be_read(letters, ground):
    assert contrast(letters, ground) >= 4.5


def test_options_are_known_to_streamlit_and_private():
    from streamlit import config

    options = theme.streamlit_options("127.0.0.1", 8501, browser=False)
    assert set(options) <= set(config._config_options_template)
    assert options["browser.gatherUsageStats"] is False
    assert options["server.address"] == "127.0.0.1"
    assert "http" not in str(options)
