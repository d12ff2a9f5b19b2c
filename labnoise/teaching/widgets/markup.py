"""The HTML of controls, which both fronts show."""

from __future__ import annotations

import html

from labnoise.teaching.widgets.controls import Control
from labnoise.teaching.widgets.definition import Definition

PLAY = '<button type="button" class="explore-play" aria-pressed="false">Play</button>\n'
THROW = '<button type="button" class="explore-throw">Throw again</button>\n'


def controls_markup(definition: Definition, continuous: set[str], typed: bool) -> str:
    """The controls and buttons of a widget: the ranges that move continuously, and whether values can be typed."""
    rows = [_control(control, control.name in continuous, typed) for control in definition.controls]
    return "\n".join(rows) + "\n" + PLAY * bool(definition.play) + THROW * bool(definition.dice)


def _control(control: Control, continuous: bool, typed: bool) -> str:
    label, name = html.escape(control.label), html.escape(control.name)
    if not control.is_range:
        options = "".join(
            f"<option{' selected' if i == control.index else ''}>{html.escape(text)}</option>"
            for i, text in enumerate(control.labels)
        )
        field = f'<select name="{name}" autocomplete="off">{options}</select>'
        return f'<div class="explore-control"><label><span>{label}</span>{field}</label></div>'
    shown = html.escape(control.labels[control.index])
    step = "any" if continuous else "1"
    field = (
        f'<input type="range" name="{name}" min="0" max="{len(control.values) - 1}" step="{step}" '
        f'value="{control.index}" aria-valuetext="{shown}" autocomplete="off">'
    )
    # The range itself tells its value to a screen reader, once.
    value = (
        f'<input type="text" class="explore-value" value="{shown}" aria-label="{label}, typed" autocomplete="off">'
        if typed
        else f'<output aria-live="off">{shown}</output>'
    )
    return f'<div class="explore-control"><label><span>{label}</span>{field}</label>{value}</div>'
