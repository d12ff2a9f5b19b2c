"""Terms and symbols are defined before they are used: for each one, where the chapters first use and define it.

The chapters are read in their order, passage by passage: a paragraph, an item of a list, a formula, the title of a
block. A *term* of the glossary is used where its words stand in running text, in the singular or the plural; a longer
term that contains it, code, alt texts, titles of sections and links to other places do not count, nor does the
paragraph "After this chapter you can …", which promises what will be defined. It is defined where it first stands in
italics or as a {term} link, which marks it as new and leads to its explanation, where a statement has it as its title,
or where the block stands whose label its entry of the glossary names; whichever comes first.

A *symbol* of the notation page is used where it stands in a formula. It is defined in the block, or the section, that
the page says, where an equation says what it is, or where a sentence names it by a word of its meaning ("the learning
rate $\\eta$"); whichever comes first. A letter with several meanings has several rows, and any of them will do; proofs
and exercises may use letters of their own. Symbols without a place are common to all mathematics.

Within one passage, which is one thought, the order is free.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from bookbuild import contents, myst

ROOT = Path(__file__).parents[1]
PROMISE = "After this chapter you can"
ROLE = re.compile(r"\{([\w:]+)\}`([^`<]*)(?:<([^`>]*)>)?`")
MATH = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
EMPHASIS = re.compile(r"(?<!\*)\*{1,2}(?=\S)([^*]+?)\*{1,2}(?!\*)")
LABELLED = {"prf:ref", "ref", "eq", "numref"}
LETTER = re.compile(r"[A-Za-z]|\\[a-zA-Z]+")
OWN_LETTERS = {"prf:proof", "exercise", "solution"}
COMMON = {"with", "that", "from", "this", "where", "which", "their", "also", "other", "such", "each"}
COMMON |= {"time", "point", "value", "size", "named"}


class Place(NamedTuple):
    """Where a passage stands: the number of its chapter, and its line."""

    chapter: int
    line: int

    def __str__(self):
        return f"chapter {self.chapter}, line {self.line}"


class Entry(NamedTuple):
    """A term or a symbol: where it is first used, and where it is defined (None: nowhere)."""

    name: str
    used: Place | None
    defined: Place | None

    @property
    def fault(self):
        if self.used and not self.defined:
            return f"{self.name}: used in {self.used}, defined nowhere"
        if self.used and self.used < self.defined:
            return f"{self.name}: used in {self.used}, defined in {self.defined}"
        return ""


def passages(chapters):
    """All passages of the chapters with their places, in the order of reading."""
    return [
        (Place(number, passage.line), passage)
        for number, chapter in enumerate(chapters, 1)
        for passage in myst.passages(chapter)
        if not passage.text.startswith(PROMISE)
    ]


def words(term):
    """The term in the singular or plural, with spaces or hyphens between its words."""
    parts = [re.escape(part) for part in re.split(r"[\s-]+", term.lower())]
    return re.compile(r"(?<![\w-])" + r"[\s-]+".join(parts) + r"(?:e?s)?(?![\w-])")


def plain(text):
    """Running text without formulas, code and links to other places."""
    text = ROLE.sub(lambda role: role[2] if role[1] == "term" else " ", text)
    return re.sub(r"`[^`]*`|!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)", " ", MATH.sub(" ", text)).lower()


def first(places):
    return min(places, default=None)


def labels(text):
    return [(role[3] or role[2]).strip() for role in ROLE.finditer(text) if role[1] in LABELLED]


def glossary(text):
    """The terms and what the glossary says of them."""
    (block,) = [each.body for each in myst.directives(text) if each.kind == "glossary"]
    return dict(re.findall(r"^(?! |:)(.+)\n((?:  .*\n?)+)", block, re.MULTILINE))


def terms(entries, read):
    """For each term of the glossary its first use and its definition."""
    for term, entry in entries.items():
        pattern, places = words(term), labels(entry)
        longer = [words(other) for other in entries if pattern.search(other.lower()) and other != term]
        used, defined = [], []
        for place, passage in read:
            text = plain(passage.text)
            for other in longer:
                text = other.sub(" ", text)
            italics = EMPHASIS.findall(MATH.sub(" ", passage.text))
            marked = [each for each in italics if len(each) < 2 * len(term) + 8]
            marked += [role[3] or role[2] for role in ROLE.finditer(passage.text) if role[1] == "term"]
            if passage.kind == "title":
                marked += [passage.text] * passage.opens
            elif pattern.search(text):
                used.append(place)
            if passage.label in places or any(pattern.search(each.lower()) for each in marked):
                defined.append(place)
        yield Entry(term, first(used), first(defined))


def symbols(page):
    """The rows of the notation page: symbol → all its meanings and the labels of all its places."""
    found = {}
    for row in re.findall(r"^\| (\$.*?) \| (.*) \| (.*?) \|$", page, re.MULTILINE):
        if places := labels(row[2]):
            for text in re.findall(r"\$([^$]+)\$", re.sub(r"\\[lr]vert ?", "|", row[0])):
                for part in re.split(r",(?![^\[({]*[\])}])", text):
                    symbol = re.split(r"=|\\in(?!\w)", part)[0].strip()
                    symbol = re.sub(r"\((?:x|s|x,s)\)$", "", symbol)
                    meaning, before = found.get(symbol, ("", []))
                    found[symbol] = (f"{meaning} {row[1]}", [*before, *places])
    return found


def standing(symbol):
    """A pattern for the symbol itself: not the letter inside a command, nor the same letter with an index."""
    before = r"(?<![\\A-Za-z{])" if symbol[0].isalpha() else ""
    end = r"(?![A-Za-z])" if re.search(r"\\[a-zA-Z]+$", symbol) else ""
    return re.compile(rf"{before}{re.escape(symbol)}{end}(?![_^'])")


def stems(text):
    return {word[:5] for word in re.findall(r"[a-z]{4,}", plain(text)) if word not in COMMON}


def sentences(text):
    return re.split(r"(?<=[.?!:])\s", text.strip())


def formulas(passage):
    """The formulas of a passage, without their labels and the words in them."""
    found = [passage.text] if passage.kind == "math" else MATH.findall(passage.text)
    return re.sub(r"\(eq-\S+\)|\\(text|operatorname|mathrm)\{[a-zA-Z ]{3,}\}", " ", " ".join(found))


def thoughts(read, i):
    """The sentences of a passage; with a formula of its own those that it stands between."""
    passage = read[i][1]
    if passage.kind != "math":
        return sentences(passage.text)
    before = sentences(read[i - 1][1].text)[-1] if i else ""
    after = sentences(read[i + 1][1].text)[0] if i + 1 < len(read) else ""
    return [" ".join([before, passage.text, after])]


def notation(rows, read):
    """For each symbol of the notation page its first use and its definition."""
    for symbol, (meaning, places) in rows.items():
        pattern, named = standing(symbol), stems(meaning)
        equation = re.compile(pattern.pattern + r"(?:\([^()]*\))?\s*&?=(?!\s*[-\d])")
        used, defined = [], []
        section = None
        for i, (place, passage) in enumerate(read):
            section = passage.label if re.fullmatch(r"\(\S+\)=", passage.text) else section
            text = formulas(passage)
            local = LETTER.fullmatch(symbol) and OWN_LETTERS.intersection(passage.within)
            if local or not pattern.search(text):
                continue
            used.append(place)
            if (
                passage.label in places
                or section in places
                or equation.search(text)
                or any(pattern.search(part) and named & stems(part) for part in thoughts(read, i))
            ):
                defined.append(place)
        yield Entry(f"${symbol}$", first(used), first(defined))


@pytest.fixture(scope="module")
def book():
    return passages([path.read_text(encoding="utf8") for path in contents.chapters(ROOT)])


def page(name):
    return (ROOT / "book" / f"{name}.md").read_text(encoding="utf8")


def test_terms_are_defined_before_they_are_used(book):
    found = list(terms(glossary(page("glossary")), book))
    assert len(found) > 40
    assert [entry.name for entry in found if not entry.defined] == []
    assert not (wrong := [entry.fault for entry in found if entry.fault]), "\n".join(wrong)


def test_symbols_are_defined_before_they_are_used(book):
    found = list(notation(symbols(page("notation")), book))
    assert len(found) > 60
    assert [entry.name for entry in found if not entry.used] == []
    assert not (wrong := [entry.fault for entry in found if entry.fault]), "\n".join(wrong)


GLOSSARY = """```{glossary}
:sorted:

cloud
  Where the weights are: {prf:ref}`def-cloud`.

heat
  What makes it.

warm cloud
  A *cloud* with heat.
```
"""
ONE = """# Cloud

After this chapter you can *say* what a cloud is.

![A cloud.](cloud.png) A warm-cloud, `cloud` and {doc}`a cloud <page>` are no clouding of the matter.

````{prf:definition} Of clouds
:label: def-cloud
Its width is $w$.
````

```{code-cell} python
heat = 1
```
"""
TWO = """For $w^*$ *heat* is what a {term}`warm cloud` has.

Of Clouds.
"""


def faults(text, *chapters):
    return [entry.fault for entry in terms(glossary(text), passages(chapters)) if entry.fault]


def test_a_term_in_the_right_order_is_found_where_it_stands():
    found = {
        entry.name: entry for entry in terms(glossary(GLOSSARY), passages([ONE.replace("A warm-", ""), TWO]))
    }
    assert found["heat"] == ("heat", (2, 1), (2, 1))
    assert found["cloud"][1:] == ((1, 5), (1, 7))
    assert found["warm cloud"][1:] == ((2, 1), (2, 1))


def test_a_planted_wrong_order_of_terms_is_found():
    assert faults(GLOSSARY, ONE, TWO) == [
        "warm cloud: used in chapter 1, line 5, defined in chapter 2, line 1"
    ]
    early = ONE.replace("# Cloud\n", "# Cloud\n\nTwo clouds give heat.\n").replace("A warm-cloud", "It")
    assert faults(GLOSSARY, early, TWO) == [
        "cloud: used in chapter 1, line 3, defined in chapter 1, line 9",
        "heat: used in chapter 1, line 3, defined in chapter 2, line 1",
    ]
    assert faults(GLOSSARY, early, "Nothing.")[1] == "heat: used in chapter 1, line 3, defined nowhere"


NOTATION = """| symbol | meaning | introduced |
|---|---|---|
| $\\eta$; $\\lvert H\\rvert_+$ | learning rate; pseudo-determinant | {prf:ref}`def-step` |
| $H(x)$, $t=\\eta^2k$ | Hessian, slow time | {ref}`sec-late` |
| $I$ | identity matrix | |
"""
STEPS = """The steps are small, as the learning rate $\\eta$ is.

(sec-late)=
## Later

The matrix $H$, and $\\int H_1 I\\,dt$.

````{prf:definition} A step
:label: def-step
$$
|H|_+=2
$$
````

Here $t$.
"""


def test_a_planted_wrong_order_of_symbols_is_found():
    def found(*chapters):
        return [entry.fault for entry in notation(symbols(NOTATION), passages(chapters)) if entry.fault]

    assert found(STEPS) == []
    assert found("With $H=0$ and $\\eta$.", STEPS) == [
        "$\\eta$: used in chapter 1, line 1, defined in chapter 2, line 1",
        "$H$: used in chapter 1, line 1, defined in chapter 2, line 6",
    ]
    assert found("The Hessian $H$ is what $|H|_+$ is of.", STEPS) == [
        "$|H|_+$: used in chapter 1, line 1, defined in chapter 2, line 10"
    ]
    assert found("Put $t=\\eta k$, $H=A$.") == ["$\\eta$: used in chapter 1, line 1, defined nowhere"]
