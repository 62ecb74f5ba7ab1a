"""Draw a colour as a chart (SVG). Finished: you need not change it, and the checks bring their own.

Like many a large library it prepares tables while it is imported, and that takes its time. Hardly any
call needs it.
"""

STEPS = 88


def _lightness(red, green, blue):
    """How light a colour looks, from 0 (black) to 100 (white): CIE's L*, channels from 0 to 1."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


_CHANNEL = [step / (STEPS - 1) for step in range(STEPS)]
_TABLE = [_lightness(r, g, b) for r in _CHANNEL for g in _CHANNEL for b in _CHANNEL]


def draw(rgb):
    """Return an SVG picture: the colour, and a bar for each of red, green and blue."""
    red, green, blue = (value * STEPS // 256 for value in rgb)
    light = _TABLE[(red * STEPS + green) * STEPS + blue] > 50
    ink = "black" if light else "white"
    bars = "".join(
        f'<rect x="8" y="{20 + 24 * row}" width="{value}" height="12" fill="{ink}"/>'
        for row, value in enumerate(rgb)
    )
    fill = ",".join(map(str, rgb))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="272" height="96">'
        f'<rect width="272" height="96" fill="rgb({fill})"/>{bars}</svg>'
    )
