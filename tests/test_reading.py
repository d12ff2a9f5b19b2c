"""The times at the top of the chapters are those of the count, which is right for a page counted by hand."""

from pathlib import Path

import pytest
from bookbuild import contents, reading

ROOT = Path(__file__).parents[1]
PAGE = """# A page

*It takes* about an hour; its cells run in a second.

{words}

$$
a=b
$$

````{{prf:proof}}
{words}
````

```{{code-cell}} python
:tags: [hide-input]
explore(draw)
```

```{{code-cell}} python
quiz("Why?", options, 1)
```

```{{code-cell}} python
:tags: [remove-cell]
claim()
```

```{{code-cell}} python
:tags: [exercise-9.1]
...
```

````{{exercise}} ✍ Think
:label: ex-9-1
{words}
````
"""


@pytest.mark.parametrize("chapter", contents.chapters(ROOT), ids=lambda path: path.stem)
def test_a_chapter_says_a_time_that_is_true(chapter):
    assert reading.renew(chapter) == chapter.read_text(encoding="utf8"), "run `make exercises`"


def test_a_page_counted_by_hand(tmp_path):
    page = tmp_path / "09-page.md"
    page.write_text(PAGE.format(words="word $x$ " * 500), encoding="utf8")
    # twice 1000 words, a formula, a proof, a widget, a question in a visible cell; and an exercise
    assert 10 + 0.5 + 2 + 3 + 1 + 0.5 == 17
    assert reading.minutes(page) == (15, 10)
    text = reading.renew(page)
    assert "*It takes* about 15 minutes to read and play with, and 10 for the exercises; its cells" in text
    page.write_text(text)
    assert reading.renew(page) == text
    page.write_text(PAGE.format(words="word $x$ " * 800), encoding="utf8")
    assert reading.minutes(page) == (25, 10)


def test_a_page_without_its_times_is_refused(tmp_path):
    page = tmp_path / "09-page.md"
    page.write_text("# A page\n", encoding="utf8")
    with pytest.raises(ValueError, match="one paragraph begins with"):
        reading.renew(page)
