"""The scripts and the style sheet beside this module, which the fronts load in the browser."""

from pathlib import Path

_HERE = Path(__file__).parent

STYLE_SHEET = _HERE / "explore.css"
GESTURES = _HERE / "gestures.js"
DISPLAY = _HERE / "display.js"
CANVAS = _HERE / "canvas.js"

# What every page with a widget loads, in this order; plain scripts, so that they run from file:// too.
LOADED = (STYLE_SHEET, GESTURES, _HERE / "explore.js")
# What has to lie together: the script that draws is loaded with a widget's first pictures.
ASSETS = (*LOADED, DISPLAY)
