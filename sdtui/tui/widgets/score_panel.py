"""The scored tags of one image with their bars, kept or dropped, and below them what the threshold comes to for the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from sdtui.tui import keys
from sdtui.tui.glyphs import Glyphs, glyphs_of
from sdtui.tui.literal import clean, fit, shorten
from sdtui.tui.numbers import count, grouped
from sdtui.tui.widgets.linelist import LineList

if TYPE_CHECKING:
    from sdtui.tagging.survey import Totals
    from sdtui.tagging.threshold import Scored

BINS = 20
# Keys of the panel that mean something before there are tags.
AT_ONCE = {"scores.score", "scores.to_images", "scores.leave"}
STEP, LEAP = 0.01, 0.05
_LEVELS, _ASCII_LEVELS = " ▁▂▃▄▅▆▇█", " .:-=+*#@"
# Cells for the signs and the figure of a row.
_SIGNS, _FIGURE = 3, 5
_LEAST_NAME = 10


class Row(NamedTuple):
    """One tag of the image: what it needs, why it is dropped (empty: it is kept), whether the caption has it."""

    tag: Scored
    needed: float
    why: str
    there: bool


class Outcome(NamedTuple):
    """What the rules come to over the list, as far as it is known.

    Attributes:
        totals: images, tags kept, images left without; None where counting has just begun.
        changed: how many tags come and how many go against the rules before; None while that is worked out.
        named: the tags that change most, and by how many images.
        before: the threshold before.
        tag: whose histogram it is.
        histogram: its images by score, in `BINS` equal parts of 0 to 1.
        counting: of how many images `totals` are, and of how many they will be; None: they are of all.
    """

    totals: Totals | None
    changed: tuple[int, int] | None
    named: tuple[tuple[str, int], ...] = ()
    before: float = 0.0
    tag: str = ""
    histogram: tuple[int, ...] = ()
    counting: tuple[int, int] | None = None


class ScorePanel(Vertical):
    """Shows what it is given; while it has the keys, every wish goes to the screen."""

    KEY_CONTEXT: ClassVar[str] = "scores"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("scores")]
    DEFAULT_CSS = """
    ScorePanel { padding: 0 1; }
    ScorePanel > Static { height: 1; color: $soft; }
    """

    class Wished(Message):
        """A key was pressed: the action of its row in the table of keys, and the tag it is about, if there is one."""

        def __init__(self, deed: str, tag: str) -> None:
            super().__init__()
            self.deed = deed
            self.tag = tag

    class Moved(Message):
        """Another tag is under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._title = Static("", markup=False)
        self._standing = Static("", markup=False)
        self._list = LineList(pointer=False)
        self._list.can_focus = False
        self._sums = [Static("", markup=False) for _ in range(3)]
        self._rows: Sequence[Row] = ()
        self._needed = 0.0
        self._parts: tuple[Content, str] = (Content(""), "")
        self._said: tuple[Content, Content] = (Content(""), Content(""))
        self._outcome: Outcome | None = None
        # Keys that were pressed before the tags were there; None: they are there, or will not come.
        self._held: list[events.Key] | None = None
        # The tag under the cursor, as rows come and go under it.
        self.tag = ""

    def compose(self) -> ComposeResult:
        """Threshold, how many are kept, the tags; over the list: totals, changes, histogram."""
        yield self._title
        yield self._standing
        yield self._list
        yield from self._sums

    # -- what it shows ------------------------------------------------------------------------------------------------

    def show_message(self, title: str, more: str = "") -> None:
        """Say why there are no tags."""
        self._rows, self._outcome = (), None
        self._list.set_rows(0, self._row)
        self._say(Content.styled(title, "$accent"), Content(more))
        for line in self._sums:
            line.update(Content(""), layout=False)

    def show(self, rows: Sequence[Row], standing: str = "") -> None:
        """The tags of an image, the highest score first; the cursor stays on its tag. `standing` says why there are none."""
        self._rows = rows
        at = next((at for at, row in enumerate(rows) if row.tag.name == self.tag), None)
        if at is None:
            at = max(0, min(self._list.cursor, len(rows) - 1))
        self._list.set_rows(len(rows), self._row, cursor=at)
        self.tag = rows[at].tag.name if rows else ""
        self._say(self._said[0], Content(standing) if standing else self._kept())
        held, self._held = self._held, None
        for event in held or ():
            self.app.post_message(events.Key(event.key, event.character))

    def show_title(self, title: Content, right: str, needed: float) -> None:
        """The threshold that is moved, whose scores these are, and what the tag under the cursor needs."""
        self._parts = title, right
        self._lay_title()
        if needed != self._needed:
            self._needed = needed
            self._draw_sums()

    def _lay_title(self) -> None:
        title, right = self._parts
        width = max(0, self.size.width - 2)
        name = shorten(right, max(0, width - title.cell_length - 2), glyphs_of(self).ellipsis)
        gap = Content(" " * max(1, width - title.cell_length - len(name)))
        self._say(title + gap + Content.styled(name, "$soft"), self._said[1])

    def show_outcome(self, outcome: Outcome) -> None:
        """What it comes to over the list; what is not known yet stays as it was."""
        before = self._outcome
        if outcome.changed is None and before is not None:
            outcome = before._replace(totals=outcome.totals, counting=outcome.counting)
        self._outcome = outcome
        self._draw_sums()

    def on_resize(self) -> None:
        """More or less room for the lines above and below."""
        if self._rows:
            self._say(self._said[0], self._kept())
            self._lay_title()
        self._draw_sums()

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Another tag."""
        event.stop()
        tag = self._rows[event.index].tag.name if event.index < len(self._rows) else ""
        if tag != self.tag:
            self.tag = tag
            self.post_message(self.Moved())

    def _say(self, title: Content, standing: Content) -> None:
        if not (title.is_same(self._said[0]) and standing.is_same(self._said[1])):
            self._said = title, standing
            self._title.update(title, layout=False)
            self._standing.update(standing, layout=False)

    def _kept(self) -> Content:
        kept = sum(not row.why for row in self._rows)
        new = sum(not row.why and not row.there for row in self._rows)
        line = Content.assemble(
            (f"+ {grouped(kept)} kept", "$success"), (f", {grouped(new)} new", "$foreground"),
            (f"  - {grouped(len(self._rows) - kept)} dropped", "$soft"),
        )  # fmt: skip
        legend = Content.styled(f"  {glyphs_of(self).mark} has it", "$soft")
        return line + legend if line.cell_length + legend.cell_length <= max(0, self.size.width - 2) else line

    def _row(self, index: int, width: int) -> Content:
        row, marks = self._rows[index], glyphs_of(self)
        kept = not row.why
        bar_width = max(0, min(24, width // 3))
        name_width = max(_LEAST_NAME, width - _SIGNS - _FIGURE - bar_width - 2)
        name = fit(clean(row.tag.name, ascii_only=marks.rule == "-"), name_width, marks.ellipsis)
        return Content.assemble(
            ("+" if kept else "-", "bold $success" if kept else "$soft"),
            (marks.mark if row.there else " ", "$accent"), " ",
            (name, "$foreground" if kept else "$soft"),
            (f" {row.tag.score:.2f} ", "$strong" if kept else "$soft"),
            _score_bar(row, bar_width, marks),
        )  # fmt: skip

    def _draw_sums(self) -> None:
        outcome, marks = self._outcome, glyphs_of(self)
        if outcome is None:
            return
        width = max(0, self.size.width - 2)
        for line, content in zip(self._sums, _sums(outcome, width, marks, self._needed), strict=True):
            line.update(content, layout=False)

    # -- keys ---------------------------------------------------------------------------------------------------------

    def hold_keys(self, *, until_shown: bool) -> None:
        """Keep the keys that are about tags until these are shown, or forget those that were kept."""
        self._held = [] if until_shown else None

    def on_key(self, event: events.Key) -> None:
        """While tags are awaited, the keys for them wait, too."""
        if self._held is None:
            return
        rows = keys.key_table_of(self).rows(self.KEY_CONTEXT, "list")
        if any(event.key in row.keys.split(",") for row in rows if row.id not in AT_ONCE):
            event.stop()
            self._held.append(event)

    def enter(self) -> None:
        """Take the keys."""
        self._list.can_focus = True
        self._list.point(on=True)
        self._list.focus()

    def leave(self) -> None:
        """Give the keys back."""
        self._held = None
        self._list.can_focus = False
        self._list.point(on=False)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """A second click."""
        event.stop()
        self._wish("tick")

    def action_tick(self) -> None:
        """Put the tag into the caption, or take it out."""
        self._wish("tick")

    def action_lower(self) -> None:
        """Lower the threshold."""
        self._wish("lower")

    def action_higher(self) -> None:
        """Raise the threshold."""
        self._wish("higher")

    def action_much_lower(self) -> None:
        """Lower the threshold a lot."""
        self._wish("much_lower")

    def action_much_higher(self) -> None:
        """Raise the threshold a lot."""
        self._wish("much_higher")

    def action_this_tag(self) -> None:
        """Move the threshold of this tag alone, or of all again."""
        self._wish("this_tag")

    def action_usual(self) -> None:
        """The tag has no threshold of its own any more."""
        self._wish("usual")

    def action_never(self) -> None:
        """The tag never comes, or comes again."""
        self._wish("never")

    def action_next_image(self) -> None:
        """The next image."""
        self._wish("next_image")

    def action_previous_image(self) -> None:
        """The image before."""
        self._wish("previous_image")

    def action_taggers(self) -> None:
        """Another tagger, or several together."""
        self._wish("taggers")

    def action_rules(self) -> None:
        """The other rules."""
        self._wish("rules")

    def action_apply(self) -> None:
        """Write the tags into captions."""
        self._wish("apply")

    def action_undo(self) -> None:
        """Take back the last edit."""
        self._wish("undo")

    def action_redo(self) -> None:
        """Make it again."""
        self._wish("redo")

    def action_score(self) -> None:
        """Score the images."""
        self._wish("score")

    def action_to_images(self) -> None:
        """The keys to the images; the panel stays."""
        self._wish("to_images")

    def action_leave(self) -> None:
        """Close the panel."""
        self._wish("leave")

    def _wish(self, deed: str) -> None:
        self.post_message(self.Wished(deed, self.tag))


def _score_bar(row: Row, width: int, marks: Glyphs) -> Content:
    """The score as a bar, crossed by what it needs; in its place, why else it is dropped."""
    if row.why and row.why != "below":
        return Content.styled(row.why[:width].ljust(width), "$warning")
    full = round(row.tag.score * width)
    cells = list((marks.bar[-1] * full).ljust(width))
    at = min(width - 1, round(row.needed * width))
    style = "$success" if not row.why else "$soft"
    if at < 0:
        return Content("")
    return Content.assemble(
        ("".join(cells[:at]), style), (marks.separator, "bold $accent"), ("".join(cells[at + 1 :]), style)
    )


def _sums(outcome: Outcome, width: int, marks: Glyphs, needed: float) -> list[Content]:
    """The three lines below the tags."""
    totals = outcome.totals
    if totals is None:
        return [Content.styled("counting", "$accent"), Content(""), Content("")]
    empty = f"{grouped(totals.empty)} left empty"
    images = (count(totals.images, "image"), "$soft")
    if outcome.counting is not None:
        done, of = outcome.counting
        images = (f"counting {grouped(done)} of {count(of, 'image')}", "$accent")
    first = Content.assemble(
        images, "  ", (f"{grouped(totals.kept)} tags", "bold $strong"),
        ("  ", ""), (empty, "$warning" if totals.empty else "$soft"),
    )  # fmt: skip
    return [first.truncate(width), _changes(outcome, width, marks), _histogram(outcome, width, marks, needed)]


def _changes(outcome: Outcome, width: int, marks: Glyphs) -> Content:
    if outcome.changed is None:
        return Content("")
    come, gone = outcome.changed
    if not come and not gone:
        return Content.styled(f"as before, at {outcome.before:.2f}", "$soft").truncate(width)
    line = Content.assemble(
        (f"+{grouped(come)}", "$success"), " ", (f"-{grouped(gone)}", "$error"),
        (f" against {outcome.before:.2f}", "$soft"),
    )  # fmt: skip
    for name, by in outcome.named:
        word = clean(name, ascii_only=marks.rule == "-")
        more = Content.assemble("  ", (word, "$foreground"), (f" {by:+d}", "$success" if by > 0 else "$error"))
        if line.cell_length + more.cell_length > width:
            break
        line += more
    return line.truncate(width)


def _histogram(outcome: Outcome, width: int, marks: Glyphs, needed: float) -> Content:
    """How many images give the tag which score, from 0 to 1, with a line where it begins to be kept."""
    if not outcome.tag or not outcome.histogram:
        return Content("")
    ascii_only = marks.rule == "-"
    levels = _ASCII_LEVELS if ascii_only else _LEVELS
    most, last = max(outcome.histogram), len(levels) - 1
    drawn = "".join(levels[-(-number * last // most)] if most else levels[0] for number in outcome.histogram)
    cut = min(BINS, max(0, round(needed * BINS)))
    figure = f" {grouped(sum(outcome.histogram))}"
    room = max(4, width - BINS - 5 - len(figure))
    name = fit(clean(outcome.tag, ascii_only=ascii_only), room, marks.ellipsis)
    return Content.assemble(
        (name, "$foreground"), (" 0", "$soft"), (drawn[:cut], "$soft"), (marks.separator, "bold $accent"),
        (drawn[cut:], "$success"), ("1", "$soft"), (figure, "$soft"),
    ).truncate(width)  # fmt: skip
