"""Pages of text: 80 columns, wide characters, Markdown that says nothing else than the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from govern.cli.pages import Heading, Rows, Text, Verbatim, cells, escaped, fold, page

BLOCKS = [Heading("A page", 1), Text("One.\n\nTwo `x_y` <b>."), Heading("Part"),
          Rows((("a", "short"), ("a_term_that_is_long_as_such", "said below"))), Verbatim("a: [1]\n\nb: 2\n")]


def test_a_page_as_text() -> None:
    assert page(BLOCKS) == """\
A page
======
  One.

  Two `x_y` <b>.

Part
  a                   short
  a_term_that_is_long_as_such
                      said below

  a: [1]

  b: 2
"""


def test_a_page_as_markdown() -> None:
    assert page(BLOCKS, "md") == """\
# A page

One.

Two `x\\_y` \\<b\\>.

## Part

- **a**: short
- **a\\_term\\_that\\_is\\_long\\_as\\_such**: said below

```yaml
a: [1]

b: 2
```
"""


def test_wide_characters_take_two_cells_and_part_lines() -> None:
    assert (cells("ab"), cells("与信"), cells("é"), cells("e\u0301")) == (2, 4, 1, 1)
    assert fold("与信モデル社内基準", 8) == ["与信モデ", "ル社内基", "準"]
    assert fold("基準。次", 6) == ["基準。", "次"]
    assert fold("a longer-than-the-width word", 10) == ["a", "longer-than-the-width", "word"]
    assert fold("", 10) == [] and fold("  a   b ", 10) == ["a b"]


@given(st.text(alphabet="ab 与信。、é-", max_size=200), st.integers(2, 40))
def test_folding_loses_nothing_and_keeps_the_width(text: str, width: int) -> None:
    lines = fold(text, width)
    assert "".join(lines).replace(" ", "") == "".join(text.split())
    for line in lines:
        # Only what may not be broken is wider: a word of narrow characters, or punctuation that closes a wide one.
        assert cells(line) <= width or " " not in line


def test_marks_are_harmless_in_markdown() -> None:
    assert escaped("a*b_c[d]<e>|f#g\\h`i`") == "a\\*b\\_c\\[d\\]\\<e\\>\\|f\\#g\\\\h`i`"
