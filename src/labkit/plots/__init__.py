"""The notebooks' pictures: one style, one colour for one thing, and words for those who can't see."""

from pathlib import Path

# Read by matplotlib when a notebook imports it, by way of the environment variable MATPLOTLIBRC.
STYLE = Path(__file__).with_name("style.mplstyle")

# Apart from each other for colour-blind eyes (Okabe and Ito's hues), at least 3:1 on white and on
# JupyterLab's dark background; in print they differ in grey, and everything is labelled besides.
COLOURS = {
    "init": "#c77700",
    "invoke": "#0072b2",
    "cached": "#009e73",
    "frozen": "#a0a0a0",
    "throttled": "#d55e00",
    "denied": "#aa4499",
    "shutdown": "#767676",
}
