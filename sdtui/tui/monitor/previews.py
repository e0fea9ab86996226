"""The previews of a run: which are shown for a step and a prompt, and the pane that shows one, two or four of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from sdtui.runs.figures import Preview
from sdtui.tui.literal import literal
from sdtui.tui.numbers import grouped
from sdtui.tui.widgets.picture import PicturePanel


@dataclass(frozen=True)
class Album:
    """The previews in the order they were made, and the ones looked at.

    Attributes:
        step: the step looked at; None follows the latest.
        index: the prompt looked at.
        compare: show the first and the chosen step of one prompt, not several prompts of one step.
    """

    previews: Sequence[Preview] = ()
    step: int | None = None
    index: int = 0
    compare: bool = False
    _by: dict[tuple[int, int], Preview] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        self._by.update({(preview.step, preview.index): preview for preview in self.previews})

    @property
    def steps(self) -> list[int]:
        """Steps that have previews, rising."""
        return sorted({preview.step for preview in self.previews})

    @property
    def indices(self) -> list[int]:
        """Prompts that have previews, rising."""
        return sorted({preview.index for preview in self.previews})

    @property
    def shown_step(self) -> int | None:
        """The step shown: the chosen one if it still exists, else the latest."""
        steps = self.steps
        return self.step if self.step in steps else (steps[-1] if steps else None)

    def with_previews(self, previews: Sequence[Preview]) -> Album:
        """The same choice in a longer (or, after a resume, shorter) list."""
        return replace(self, previews=previews, _by={})

    def scrubbed(self, by: int) -> Album:
        """`by` steps later (negative: earlier); at the end it follows the latest again."""
        steps, now = self.steps, self.shown_step
        if now is None:
            return self
        at = min(len(steps) - 1, max(0, steps.index(now) + by))
        return replace(self, step=None if at == len(steps) - 1 else steps[at], _by={})

    def turned(self, by: int) -> Album:
        """The next or previous prompt, round and round."""
        indices = self.indices
        if not indices:
            return self
        at = indices.index(self.index) if self.index in indices else 0
        return replace(self, index=indices[(at + by) % len(indices)], _by={})

    def compared(self) -> Album:
        """With or without the comparison to the first step."""
        return replace(self, compare=not self.compare, _by={})

    def chosen(self, places: int) -> list[Preview]:
        """What to show in `places` panes: first and chosen step when comparing, else this prompt and its followers."""
        step = self.shown_step
        if step is None:
            return []
        indices = self.indices
        at = indices.index(self.index) if self.index in indices else 0
        if self.compare:
            wanted = [(self.steps[0], indices[at]), (step, indices[at])]
        else:
            wanted = [(step, index) for index in [*indices[at:], *indices[:at]][:places]]
        return [self._by[key] for key in wanted if key in self._by]


class PreviewPane(Vertical):
    """A heading, one to four pictures with their captions, and the prompt."""

    DEFAULT_CSS = """
    PreviewPane { padding: 0 1; }
    PreviewPane > #preview-head { height: 1; color: $soft; }
    PreviewPane > #preview-prompt { height: auto; max-height: 3; color: $foreground; }
    PreviewPane > Container { layout: grid; grid-size: 1; grid-gutter: 1 2; height: 1fr; }
    PreviewPane.-two > Container { grid-size: 1 2; }
    PreviewPane.-two.-broad > Container { grid-size: 2 1; }
    PreviewPane.-four > Container { grid-size: 2 2; }
    PreviewPane .unused { display: none; }
    """

    def __init__(self, *, ascii_only: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._ascii = ascii_only
        self._album = Album()
        self._folder: Path | None = None
        self._shown: tuple[list[Preview], str] | None = None
        self._words = ""

    def compose(self) -> ComposeResult:
        """Heading, panes, prompt."""
        yield Static("", id="preview-head", markup=False)
        with Container():
            for place in range(4):
                yield PicturePanel(ascii_only=self._ascii, id=f"picture-{place}")
        yield Static("", id="preview-prompt", markup=False)

    def show(self, album: Album, folder: Path, *, will_come: bool) -> None:
        """Show the album's choice; `folder` is the run's, to which preview paths are relative."""
        self._album, self._folder = album, folder
        chosen = album.chosen(self._places())
        empty = "no previews yet" if will_come else "no previews"
        if (chosen, empty) != self._shown:
            self._shown = chosen, empty
            self._fill(chosen, folder, empty)
        self._head()

    def on_resize(self, _event: Resize) -> None:
        """More room, more pictures."""
        self.set_class(self.size.width > self.size.height * 2, "-broad")
        if self._folder is not None:
            self.show(self._album, self._folder, will_come=True)

    def _places(self) -> int:
        roomy = self.size.width >= 72 and self.size.height >= 30
        return min(4, len(self._album.indices)) if roomy else 1

    def _fill(self, chosen: list[Preview], folder: Path, empty: str) -> None:
        self.set_class(len(chosen) == 2, "-two")
        self.set_class(len(chosen) > 2, "-four")
        for place, panel in enumerate(self.query(PicturePanel)):
            panel.set_class(place >= max(1, len(chosen)), "unused")
            if place < len(chosen):
                preview = chosen[place]
                panel.show(folder / preview.path, self._caption(preview) if len(chosen) > 1 else "")
            else:
                panel.show(None, message=empty if place == 0 else "")
        prompt = chosen[-1] if len(chosen) == 1 or self._album.compare else None
        words = (
            literal(f"{prompt.prompt}  (seed {prompt.seed})", ascii_only=self._ascii)
            if prompt and chosen
            else Content("")
        )
        self.query_one("#preview-prompt", Static).update(words)

    def _caption(self, preview: Preview) -> str:
        step = f"step {grouped(preview.step)}"
        return step if self._album.compare else f"seed {preview.seed}  {preview.prompt}"

    def _head(self) -> None:
        album, step = self._album, self._album.shown_step
        words = "previews"
        if step is not None:
            steps, indices = album.steps, album.indices
            words = f"previews  step {grouped(step)}  {steps.index(step) + 1}/{len(steps)}"
            if len(indices) > 1:
                at = indices.index(album.index) if album.index in indices else 0
                words += f"  prompt {at + 1}/{len(indices)}"
        if words != self._words:
            self._words = words
            self.query_one("#preview-head", Static).update(Content(words))
