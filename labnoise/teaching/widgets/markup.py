"""The HTML of controls, which both fronts show."""

from __future__ import annotations

import html

from labnoise.teaching.widgets.controls import Control

PLAY = '<button type="button" class="explore-play" aria-pressed="false">Play</button>\n'


def controls_markup(controls: list[Control], play: bool, exact: bool) -> str:
    """A row of controls and the play button; where values are exact a range stops anywhere, and values can be typed."""
    return "\n".join(_control(control, exact) for control in controls) + "\n" + PLAY * play


def _control(control: Control, exact: bool) -> str:
    label, name = html.escape(control.label), html.escape(control.name)
    if not control.is_range:
        options = "".join(
            f"<option{' selected' if i == control.index else ''}>{html.escape(text)}</option>"
            for i, text in enumerate(control.labels)
        )
        field = f'<select name="{name}" autocomplete="off">{options}</select>'
        return f'<div class="explore-control"><label><span>{label}</span>{field}</label></div>'
    shown = html.escape(control.labels[control.index])
    step = "any" if exact and control.spacing != "irregular" else "1"
    field = (
        f'<input type="range" name="{name}" min="0" max="{len(control.values) - 1}" step="{step}" '
        f'value="{control.index}" aria-valuetext="{shown}" autocomplete="off">'
    )
    # The range itself tells its value to a screen reader, once.
    value = (
        f'<input type="text" class="explore-value" value="{shown}" aria-label="{label}, typed" autocomplete="off">'
        if exact
        else f'<output aria-live="off">{shown}</output>'
    )
    return f'<div class="explore-control"><label><span>{label}</span>{field}</label>{value}</div>'
