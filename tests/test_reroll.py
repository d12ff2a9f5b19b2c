"""Dice that a setting shifts, claims that can fail, and the table of a re-roll."""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import jax
import numpy as np
import pytest
from afterzero import dice
from afterzero.claims import claim

sys.path.append(str(Path(__file__).parents[1] / "tools"))

import reroll


def test_at_shift_zero_the_dice_are_the_plain_ones(monkeypatch):
    monkeypatch.delenv("AFTERZERO_SHIFT", raising=False)
    assert (jax.random.key_data(dice.key(3)) == jax.random.key_data(jax.random.key(3))).all()
    assert dice.rng(3).random() == np.random.default_rng(3).random()


def test_a_shift_changes_every_seed_and_is_kept(monkeypatch):
    monkeypatch.setenv("AFTERZERO_SHIFT", "7")
    shifted = [jax.random.uniform(dice.key(seed)).item() for seed in (3, 3, 4)]
    assert shifted[0] == shifted[1] != shifted[2]
    assert shifted[0] != jax.random.uniform(jax.random.key(3)).item()
    assert dice.rng(3).random() == dice.rng(3).random() != np.random.default_rng(3).random()
    monkeypatch.setenv("AFTERZERO_SHIFT", "one")
    with pytest.raises(ValueError, match="AFTERZERO_SHIFT = 'one': give a whole number"):
        dice.key(0)


@pytest.mark.parametrize("shift", ["0", "7"])
def test_a_throw_changes_the_dice_and_the_first_throw_does_not(monkeypatch, shift):
    monkeypatch.setenv("AFTERZERO_SHIFT", shift)
    for draw in (lambda *of: jax.random.uniform(dice.key(*of)).item(), lambda *of: dice.rng(*of).random()):
        thrown = [draw(3, throw) for throw in range(3)]
        assert thrown[0] == draw(3)
        assert len(set(thrown)) == 3
        assert thrown == [draw(3, throw) for throw in range(3)]


def test_a_claim_that_is_false_or_cannot_fail_is_named(monkeypatch):
    monkeypatch.delenv("AFTERZERO_CLAIMS", raising=False)
    claim("a", "it is above one", lambda x=2.0: x - 1, {"x": 0.5})
    with pytest.raises(AssertionError, match="“b” is false: it is above three"):
        claim("b", "it is above three", lambda x=2.0: x - 3, {"x": 0.5})
    with pytest.raises(AssertionError, match="“c” cannot fail"):
        claim("c", "it is above one", lambda x=2.0: x - 1, {"x": 3.0})
    for fails in ({}, {"y": 1.0}):
        with pytest.raises(ValueError, match="name at least one keyword"):
            claim("d", "it is above one", lambda x=2.0: x - 1, fails)


def test_under_a_reroll_a_claim_is_recorded_instead(monkeypatch, tmp_path):
    monkeypatch.setenv("AFTERZERO_CLAIMS", str(tmp_path / "claims.jsonl"))
    monkeypatch.setenv("AFTERZERO_SHIFT", "5")
    claim("e", "it is above three", lambda x=2.0: x - 3, {"x": 5.0})
    entry = json.loads((tmp_path / "claims.jsonl").read_text())
    assert entry == {"claim": "e", "says": "it is above three", "shift": 5, "margin": -1.0, "broken": 2.0}


def entries(margins, broken=-1.0, claim="x"):
    return [{"chapter": "01-a", "claim": claim, "says": "so", "margin": m, "broken": broken} for m in margins]


def test_the_table_counts_and_the_faults_name_what_is_wrong():
    rows = reroll.table([*entries([1.0, 1.1, 0.9]), *entries([0.2, -0.1, 0.3], claim="y")])
    assert [(row["claim"], row["held"], row["shifts"], row["least"]) for row in rows] == [
        ("x", 3, 3, 0.9),
        ("y", 2, 3, -0.1),
    ]
    (fault,) = reroll.faults(rows)
    assert "“y”: held under 2 of 3 shifts (so)" in fault
    (fault,) = reroll.faults(reroll.table(entries([0.1, 1.0, 2.0, 0.1, 1.0, 2.0])))
    assert "standard deviations" in fault
    assert not reroll.faults(reroll.table(entries([0.1, 1.0])))  # two margins say little of how they scatter
    (fault,) = reroll.faults(reroll.table(entries([1.0, 1.1, 0.9], broken=0.5)))
    assert "says nothing" in fault
    (fault,) = reroll.faults(reroll.table(entries([1.0, float("nan"), 0.9])))
    assert "held under 2 of 3 shifts" in fault  # a margin that is no number is no margin


def test_shifts_follow_from_the_commit():
    assert reroll.draw_shifts("a", 8)[:3] == reroll.draw_shifts("a", 3) != reroll.draw_shifts("b", 3)
    assert all(1 <= shift <= 10**6 for shift in reroll.draw_shifts("a", 8))


def test_the_chapters_and_the_errata_are_run(monkeypatch):
    pages = reroll.pages(reroll.ROOT)
    chapters = sorted((reroll.ROOT / "book").glob("[0-9][0-9]-*.md"))
    assert list(pages) == [*(str(int(path.name[:2])) for path in chapters), "errata"]
    ran = []
    monkeypatch.setattr(reroll, "run", lambda page, shift: ran.append(page.stem) or entries([1.0]))
    for arguments, expected in (
        (["--shifts", "2"], [page.stem for page in pages.values() for _ in range(2)]),
        (["--shifts", "1", "--chapter", "3"], [pages["3"].stem]),
        (["--shifts", "1", "--chapter", "errata"], ["errata"]),
    ):
        ran.clear()
        reroll.main(arguments)
        assert sorted(ran) == sorted(expected)


def test_every_page_has_its_turn(monkeypatch):
    ran = set()
    monkeypatch.setattr(reroll, "run", lambda page, shift: ran.add(page.stem) or entries([1.0]))
    for number in range(100):
        monkeypatch.setattr(reroll, "commit", lambda number=number: f"commit {number}")
        reroll.main(["--shifts", "1", "--in-turn"])
    assert ran == {page.stem for page in reroll.pages(reroll.ROOT).values()}


def test_three_false_sentences_of_the_first_edition_are_caught():
    """Asserted as they stood there, two of them true of the printed dice; each page is run as `make reroll` runs it."""
    page = Path(__file__).parent / "planted_claims.md"
    with ProcessPoolExecutor(
        2, get_context("spawn")
    ) as pool:  # nbclient leaves its event loops to the process's end
        shifts = [0, *reroll.draw_shifts("planted", 2)]
        printed, *fresh = pool.map(partial(reroll.run, page), shifts)
    assert [entry["margin"] > 0 for entry in printed] == [True, False, True]
    rows = reroll.table([entry for entries in fresh for entry in entries])
    assert [row["held"] for row in rows] == [1, 0, 0]
    assert all(row["can_fail"] for row in rows)
    faults = reroll.faults(rows)
    assert len(faults) == 3
    assert (
        "go away from the bend”: held under 1 of 2 shifts (the run ends less flat than it began)" in faults[0]
    )
    assert "steps with η|s| > 1”: held under 0 of 2 shifts" in faults[1]
    assert "loses 11 of 24 runs”: held under 0 of 2 shifts" in faults[2]


def test_a_page_that_does_not_run_under_a_shift_is_a_fault(tmp_path):
    page = tmp_path / "one.md"
    page.write_text(
        "```{code-cell} python\nfrom afterzero import dice\n1 / (dice.shift() - 7)\n```\n", encoding="utf8"
    )
    assert reroll.run(page, 6) == []
    (entry,) = reroll.run(page, 7)
    assert "ZeroDivisionError" in entry["says"]
    assert reroll.faults(reroll.table([entry]))
