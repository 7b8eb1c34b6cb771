"""The colours of every picture of the course: one meaning a colour, light and dark.

A *role* names what a mark shows, and only a role has a colour. `forward` is another name for
`model` (values that the network computes), `backward` for `gradient`. The colours keep 4.5:1
against the page, so that a mark's direct label may carry its colour, and stay apart under the
three common forms of colour blindness (tests/explore/test_palette.py measures both).
"""

from __future__ import annotations

from typing import Literal

Theme = Literal["light", "dark"]

_HUES: dict[str, tuple[str, str]] = {
    # role: (light, dark)
    "data": ("#6f6f6f", "#a7a7a7"),
    "target": ("#1a1a1a", "#f2f2f2"),
    "model": ("#0c7d46", "#5ff09a"),
    "gradient": ("#c13535", "#ff7d62"),
    "loss": ("#7b47de", "#9a70ff"),
    "path": ("#cb0997", "#d96cc4"),
    "positive": ("#276cc7", "#74b0ff"),
    "negative": ("#ae5d01", "#f7c612"),
}
_SAME_MEANING = {"forward": "model", "backward": "gradient"}

ROLES: tuple[str, ...] = (*_HUES, *_SAME_MEANING, "ink", "muted")
"""Every role a mark may have; `ink` is plain text, `muted` is what stands back."""

_PAGE: dict[str, tuple[str, str]] = {
    "ink": ("#1a1a1a", "#f2f2f2"),
    "muted": ("#6b6b6b", "#a8a8a8"),
    "grid": ("#e4e4e4", "#3c3c3c"),
    "background": ("#ffffff", "#111111"),
    "highlight": ("#fff1c9", "#3d3108"),
}

SCALES: dict[str, tuple[str, ...]] = {
    # Equal steps from low to high; `diverging` runs from negative over zero to positive.
    "sequential": ("#fdfdf5", "#c9dccb", "#86b8a8", "#3f8f86", "#14605f", "#06333a"),
    "diverging": ("#ae5d01", "#d69a55", "#f2d7b3", "#f7f7f7", "#bdd5f2", "#6f9fdd", "#276cc7"),
    "grey": ("#000000", "#ffffff"),
    "paper": ("#ffffff", "#000000"),
}
"""Colour scales of heat maps and images, as stops from the lowest to the highest value."""


def colour(role: str, theme: Theme = "light") -> str:
    """The colour of a role (or of `grid`, `background`, `highlight`) as `#rrggbb`.

    >>> colour("gradient") == colour("backward")
    True
    """
    name = _SAME_MEANING.get(role, role)
    pair = _HUES.get(name) or _PAGE.get(name)
    if pair is None:
        raise ValueError(f"there is no role {role!r}; the roles are {', '.join(ROLES)}")
    return pair[0 if theme == "light" else 1]


def css() -> str:
    """The palette as CSS variables, following JupyterLab's theme, else the system's."""

    def variables(theme: Theme) -> str:
        names = [*_HUES, *_SAME_MEANING, *_PAGE]
        return "".join(f"--explore-{name}:{colour(name, theme)};" for name in names)

    dark = variables("dark") + "color-scheme:dark;"
    return (
        f":root{{{variables('light')}}}\n"
        f"body[data-jp-theme-light='false'],body.vscode-dark{{{dark}}}\n"
        "@media (prefers-color-scheme:dark){"
        f"body:not([data-jp-theme-light],.vscode-light){{{dark}}}}}\n"
        "@media print{body:not([data-jp-theme-light],.vscode-light)"
        f"{{{variables('light')}color-scheme:light;}}}}\n"
    )
