"""The one table of keys: what each does, in which context, and the words for footer, `?` help, palette and docs/keys.md.

A context is a screen, a kind of widget, or `everywhere`; the part of an id after the dot is the action's method on the
screen or widget of that context (`captions.add_tag` → `action_add_tag`). Keys come from the set that survives SSH, tmux
and legacy encodings: no ctrl+m, ctrl+i, ctrl+h, ctrl+b or ctrl+a, and ctrl+p only as an alias.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.keys import _character_to_key

from sdtui.errors import UserError

if TYPE_CHECKING:
    from textual.widget import Widget

# What to press for an action of the table, as a person would write it.
Press = Callable[[str], str]


@dataclass(frozen=True)
class Key:
    """One row of the table.

    Attributes:
        id: `context.action`.
        keys: comma-separated Textual key names, the first one shown.
        label: the footer's and palette's word or two.
        help: one sentence for `?` and the docs.
        footer: rank in the footer, lowest first; 0 keeps it out.
    """

    id: str
    keys: str
    label: str
    help: str
    footer: int = 0

    @property
    def context(self) -> str:
        """Where the key works."""
        return self.id.partition(".")[0]

    @property
    def action(self) -> str:
        """The name of the `action_…` method."""
        return self.id.partition(".")[2]


CONTEXTS: dict[str, str] = {
    "everywhere": "On every screen",
    "list": "In a list",
    "home": "Home",
    "captions": "Captions",
    "profile": "Profile",
    "monitor": "Monitor",
    "tags": "In the list of tags",
    "scores": "In the scores",
    "yes_no": "Yes or no",
    "pair": "Two images side by side",
    "typing": "While typing in a line",
    "tag": "While typing a tag",
    "query": "While typing a query",
    "saved": "In the list of saved queries",
    "editing": "While editing a caption",
    "words": "In a list of words",
    "items": "In a list of lines",
    "selections": "In the list of selections",
    "form": "In the form of an edit",
    "history": "In the history of edits",
    "dialog": "In a dialog",
}

TYPING = frozenset({"typing", "tag", "query", "editing"})
# These take every key while they are open, so they may give one of `everywhere` another use.
MODAL = TYPING | {
    "tags",
    "scores",
    "yes_no",
    "pair",
    "words",
    "items",
    "selections",
    "saved",
    "form",
    "history",
    "dialog",
}

EVERYWHERE = (
    Key("everywhere.home", "1", "home", "Go to Home: profiles, runs and datasets of this workspace."),
    Key("everywhere.captions", "2", "captions", "Go to Captions: review and edit the captions of a dataset."),
    Key("everywhere.monitor", "3", "monitor", "Go to Monitor: watch and steer a run."),
    Key("everywhere.profile", "4", "profile", "Go to Profile: edit what is trained, and how."),
    Key("everywhere.commands", "colon,ctrl+p", "commands", "Open the palette: every command by name.", 91),
    Key("everywhere.help", "question_mark,f1", "keys", "Show what can be pressed here.", 90),
    Key("everywhere.back", "q", "back", "Leave what is open, then the screen; on Home, quit.", 92),
    Key("everywhere.close", "escape", "close", "Close what is open: a search, a panel, an edit."),
    Key("everywhere.side", "i", "side panel", "Fold the side panel away, or bring it back in a narrow window."),
    Key("everywhere.copy", "Y", "copy", "Copy the selected path or text to the clipboard."),
    Key("everywhere.suspend", "ctrl+z", "suspend", "Go back to the shell for a while; its `fg` brings sdtui back."),
    Key("everywhere.quit", "ctrl+q", "quit", "Quit; runs go on."),
)

LIST = (
    Key("list.down", "j,down", "down", "Next row."),
    Key("list.up", "k,up", "up", "Previous row."),
    Key("list.page_down", "pagedown,ctrl+d", "page down", "A page down."),
    Key("list.page_up", "pageup,ctrl+u", "page up", "A page up."),
    Key("list.first", "g,home", "first", "First row."),
    Key("list.last", "G,end", "last", "Last row."),
)

HOME = (
    Key("home.open", "enter", "open", "Open the profile, run or dataset under the cursor.", 1),
    Key("home.new", "n", "new", "Write a new profile from a template.", 2),
    Key("home.launch", "L", "launch", "Start a run of the profile under the cursor.", 3),
    Key("home.resume", "R", "resume", "Go on with the run under the cursor from its last complete checkpoint.", 4),
    Key("home.delete", "d", "delete", "Move the profile or finished run under the cursor to the trash.", 5),
    Key("home.undo", "u", "undo", "Bring back what was deleted last.", 6),
    Key("home.search", "slash", "filter", "Show only rows that contain a text.", 7),
    Key("home.editor", "e", "editor", "Open the profile under the cursor in $EDITOR.", 8),
)

CAPTIONS = (
    Key("captions.edit", "enter", "edit", "Edit the caption.", 1),
    Key("captions.next_tag", "tab,l,right", "tag", "Move to the next tag of the caption.", 2),
    Key("captions.previous_tag", "shift+tab,h,left", "previous tag", "Move to the previous tag of the caption."),
    Key("captions.add_tag", "a", "add", "Add a tag at the end of the caption, or of every marked image's.", 3),
    Key(
        "captions.drop_tag",
        "d",
        "drop",
        "Drop the tag under the tag cursor, from every marked image if any is marked.",
        4,
    ),
    Key(
        "captions.replace_tag",
        "r",
        "replace",
        "Replace the tag under the tag cursor, in every marked image if any is marked.",
        5,
    ),
    Key(
        "captions.search",
        "slash",
        "search",
        "Show only images that a query finds: a text, or tag:night AND NOT tags:<5.",
        6,
    ),
    Key("captions.saved_queries", "S", "saved", "Saved queries: look for one again, save this one, rename, delete."),
    Key("captions.tags", "T", "tags", "To the list of tags: filter and sort it, show only images with one.", 11),
    Key(
        "captions.with_tag",
        "w",
        "with tag",
        "Show only images with the tag under the tag cursor; once more: what was shown before.",
    ),
    Key("captions.without_tag", "W", "without tag", "Show only images without it; once more: what was shown before."),
    Key(
        "captions.yes_no",
        "y",
        "yes or no",
        "Ask one tag of each image of the list: y adds it, n takes it out, and the next image comes.",
        12,
    ),
    Key(
        "captions.pair",
        "v",
        "side by side",
        "Hold this image and see others beside it, with what their captions share.",
        13,
    ),
    Key(
        "captions.colours",
        "C",
        "colours",
        "Colour the tags by something else: problems, kinds, frequency, tokens …",
        14,
    ),
    Key(
        "captions.fix",
        "f",
        "fix",
        "Put in place of the tag under the tag cursor what the line of colours says, in every marked image if any is marked.",
    ),
    Key("captions.next_match", "n", "next match", "Next image that matches the search, without narrowing the list."),
    Key("captions.previous_match", "N", "previous match", "Previous image that matches the search."),
    Key("captions.next_untagged", "o", "untagged", "Next image without a caption, or with one that cannot be read.", 7),
    Key(
        "captions.next_problem",
        "exclamation_mark",
        "problem",
        "Next image whose caption is missing, empty, unreadable, or has a tag twice.",
    ),
    Key("captions.random_image", "x", "random", "Any image of the list."),
    Key(
        "captions.mark",
        "space,m",
        "mark",
        "Mark or unmark the image; add, drop and replace then edit all marked ones.",
        8,
    ),
    Key("captions.mark_all", "M", "mark all", "Unmark all images; when none is marked, mark all that are listed."),
    Key("captions.more_stars", "plus", "star", "One star more for the image, up to five."),
    Key("captions.fewer_stars", "minus", "fewer stars", "One star less."),
    Key(
        "captions.selections",
        "apostrophe",
        "selections",
        "Nine numbered selections: put the image in, show only its images, empty it.",
    ),
    Key(
        "captions.move_earlier",
        "less_than_sign",
        "tag earlier",
        "Let the tag under the tag cursor change places with the one before.",
    ),
    Key("captions.move_later", "greater_than_sign", "tag later", "Let it change places with the next one."),
    Key(
        "captions.to_front",
        "circumflex_accent",
        "tag first",
        "Move the tag to the front, in every marked image if any is marked.",
    ),
    Key("captions.copy_tags", "c", "copy tags", "Copy the caption's tags."),
    Key(
        "captions.paste_tags",
        "p",
        "paste tags",
        "Add the copied tags that are missing, to every marked image if any is marked.",
    ),
    Key(
        "captions.paste_over", "P", "paste over", "Put the copied caption in place of this one, or of all marked ones."
    ),
    Key("captions.undo", "u", "undo", "Undo the last edit of this dataset, also one of an earlier session.", 9),
    Key("captions.redo", "U", "redo", "Do again what was undone."),
    Key(
        "captions.operations",
        "E",
        "edit many",
        "Edit many captions: sort, regular expressions, dedupe and more, with a preview.",
        10,
    ),
    Key(
        "captions.scores",
        "t",
        "scores",
        "Scores of a tagger: move the threshold, tick tags; once more: to the images.",
        12,
    ),
    Key("captions.lower", "left_square_bracket", "lower", "While the scores are open: the threshold 0.01 lower."),
    Key("captions.higher", "right_square_bracket", "higher", "The threshold 0.01 higher."),
    Key("captions.much_lower", "left_curly_bracket", "much lower", "The threshold 0.05 lower."),
    Key("captions.much_higher", "right_curly_bracket", "much higher", "The threshold 0.05 higher."),
    Key(
        "captions.apply_scores",
        "A",
        "apply scores",
        "Write the tags that the scores give into captions, after a preview.",
    ),
    Key("captions.history", "H", "history", "All recorded edits: look at them, go back to one, restore the originals."),
    Key("captions.read_only", "R", "read-only", "Let nothing be changed; once more: let it."),
    Key("captions.editor", "e", "editor", "Open the caption file in $EDITOR.", 10),
    Key("captions.folder", "O", "open folder", "Open another folder of images."),
    Key("captions.reload", "f5", "reload", "Read the folder again."),
)

MONITOR = (
    Key("monitor.preview", "p", "preview now", "Make the previews at the next step.", 1),
    Key("monitor.save", "s", "save", "Save a checkpoint at the next step.", 2),
    Key("monitor.pause", "space", "pause", "Pause the run at the next step, or let a paused one go on.", 3),
    Key("monitor.stop", "S", "stop", "End the run after saving, if you confirm it.", 4),
    Key("monitor.rate_factor", "f", "rate factor", "Multiply the learning rate by a factor from the next step on."),
    Key("monitor.interval", "v", "preview interval", "Make the previews every so many steps from now on."),
    Key("monitor.resume", "R", "resume", "Go on with an ended run from its last complete checkpoint.", 5),
    Key("monitor.earlier", "left", "earlier", "Previews of an earlier step.", 6),
    Key("monitor.later", "right", "later", "Previews of a later step; the last one follows the run."),
    Key("monitor.next_prompt", "tab,right_square_bracket", "prompt", "Preview of the next prompt.", 7),
    Key("monitor.previous_prompt", "shift+tab,left_square_bracket", "previous prompt", "Preview of the prompt before."),
    Key("monitor.compare", "c", "compare", "First and chosen preview of one prompt side by side.", 8),
    Key("monitor.x_axis", "x", "x axis", "X axis by step, by time since the start, by time of day.", 9),
    Key("monitor.log_scale", "y", "log scale", "Loss on a logarithmic or a linear scale.", 10),
    Key("monitor.smoother", "plus", "smoother", "Average the loss over more steps.", 11),
    Key("monitor.rougher", "minus", "rougher", "Average the loss over fewer steps."),
    Key("monitor.log", "l", "log", "What the trainer printed, in place of the charts.", 12),
    Key("monitor.older_run", "full_stop", "older run", "Show the next older run.", 13),
    Key("monitor.newer_run", "comma", "newer run", "Show the next newer run."),
    Key("monitor.runs", "enter", "runs", "Choose a run from a list.", 14),
)

PROFILE = (
    Key("profile.edit", "enter,space", "edit", "Change the setting: type, choose, or turn on and off.", 1),
    Key("profile.next_choice", "right", "next value", "The next choice of the setting."),
    Key("profile.previous_choice", "left", "previous value", "The choice before."),
    Key("profile.to_default", "backspace,delete", "default", "Take the setting out of the file: its default holds.", 8),
    Key("profile.next_pane", "tab", "sections", "To the sections, and back to the settings.", 9),
    Key("profile.search", "slash", "find", "Find a setting by name, also by the name other trainers give it.", 2),
    Key("profile.next_match", "n", "next match", "The next setting that matches the search."),
    Key("profile.text", "T", "TOML", "The same document as text, with line numbers and problems.", 6),
    Key("profile.difference", "D", "diff", "What differs from the file on disk, then from the defaults.", 7),
    Key(
        "profile.check",
        "c",
        "check",
        "Check again, with base model, machine and dataset, and go to the first problem.",
        3,
    ),
    Key("profile.launch", "L", "launch", "Check, show the plan, and start the run if you confirm it.", 4),
    Key("profile.write", "w,ctrl+s", "write", "Write the file.", 5),
    Key("profile.undo", "u", "undo", "Take the last change back.", 10),
    Key("profile.redo", "U,ctrl+r", "redo", "Make the last undone change again."),
    Key("profile.add_folder", "a", "add folder", "Add a folder of images.", 11),
    Key("profile.drop_folder", "d", "drop folder", "Remove the folder of images the cursor is in."),
    Key("profile.editor", "e", "editor", "Open the text in $EDITOR.", 12),
    Key("profile.reload", "f5", "reload", "Read the file on disk again."),
    Key("profile.keep", "K", "keep mine", "Keep what is here although the file on disk was changed."),
)

OTHERS = (
    Key("tags.only", "enter,w", "only with it", "Show only images with the tag; once more: what was shown before.", 1),
    Key("tags.without", "W", "only without", "Show only images without it; once more: what was shown before.", 2),
    Key("tags.yes_no", "y", "yes or no", "Ask the tag of each image of the list."),
    Key("tags.filter", "slash", "filter", "Show only tags that contain a text.", 3),
    Key("tags.sort", "s", "sort", "By count, by name, by length.", 4),
    Key("tags.leave", "escape,q,T", "close", "All tags again; then back to the images.", 5),
    Key("scores.tick", "enter,space", "in or out", "Put the tag into the caption, or take it out.", 1),
    Key("scores.lower", "left_square_bracket,left,h", "lower", "The threshold 0.01 lower.", 2),
    Key("scores.higher", "right_square_bracket,right,l", "higher", "The threshold 0.01 higher.", 3),
    Key("scores.much_lower", "left_curly_bracket", "much lower", "The threshold 0.05 lower."),
    Key("scores.much_higher", "right_curly_bracket", "much higher", "The threshold 0.05 higher."),
    Key("scores.apply", "A", "apply", "See what it comes to, and write the tags into captions.", 4),
    Key("scores.next_image", "J,n", "next image", "The next image of the list.", 5),
    Key("scores.previous_image", "K,p", "previous image", "The image before."),
    Key(
        "scores.this_tag", "equals_sign", "this tag", "Move the threshold of this tag alone; once more: that of all.", 6
    ),
    Key("scores.usual", "backspace,delete", "as all", "The tag has no threshold of its own any more."),
    Key("scores.never", "x", "never", "The tag never comes; once more: it comes as before.", 7),
    Key("scores.taggers", "c", "tagger", "The next tagger, or all together: union, intersection, mean, maximum.", 8),
    Key("scores.rules", "o", "rules", "The other rules: order, ratings, bans, how tags are written.", 9),
    Key("scores.score", "s", "score", "Score the images with a tagger, in a process of its own.", 10),
    Key("scores.to_images", "t", "to images", "To the images; the scores stay.", 11),
    Key("scores.leave", "escape,q", "close", "Close the scores.", 12),
    Key("yes_no.yes", "y", "has it", "The image has the tag: add it if need be, and go on.", 1),
    Key("yes_no.no", "n", "has it not", "Take the tag out if it is there, and go on.", 2),
    Key("yes_no.skip", "space,j,down", "skip", "Leave the caption as it is, and go on.", 3),
    Key("yes_no.back", "u,k,up", "undo", "To the image before, and take back what was said of it.", 4),
    Key("yes_no.end", "escape,q", "close", "Back to the list, at this image.", 5),
    Key("pair.next", "j,down", "next", "The next image beside the one that is held.", 1),
    Key("pair.previous", "k,up", "previous", "The image before.", 2),
    Key("pair.hold", "v", "hold this one", "Hold the right image instead.", 3),
    Key("pair.mark", "space,m", "mark", "Mark or unmark the right image.", 4),
    Key("pair.end", "escape,q", "close", "Back to the list, at the right image.", 5),
    Key("pair.end_at_held", "enter", "to the left one", "Back to the list, at the image that is held.", 6),
    Key("typing.accept", "enter", "accept", "Use what was typed.", 1),
    Key("typing.complete", "tab", "complete", "Take over the word that is offered behind the cursor."),
    Key("typing.leave", "escape", "leave", "Leave without using it.", 2),
    Key("tag.accept", "enter", "accept", "Use what was typed.", 1),
    Key("tag.complete", "tab", "complete", "Take over the tag that is offered first, or the one that was chosen.", 2),
    Key("tag.next_offer", "down", "choose", "The next of the tags that are offered.", 3),
    Key("tag.previous_offer", "up", "choose back", "The one before, at last what was typed."),
    Key("tag.leave", "escape", "leave", "Leave without using it.", 4),
    Key("query.accept", "enter", "to the images", "Keep the images that were found, and go to them.", 1),
    Key("query.complete", "tab", "complete", "Take over the field or tag that is offered.", 2),
    Key("query.earlier", "up", "earlier", "An earlier query.", 3),
    Key("query.later", "down", "later", "A later one."),
    Key("query.case", "f2", "case", "Tell upper and lower case apart, or no longer.", 4),
    Key("query.leave", "escape", "leave", "End the search: all images again.", 5),
    Key("saved.recall", "enter", "look for it", "Show only the images that the query finds.", 1),
    Key("saved.save", "a", "save this one", "Save the query that is looked for now under a name.", 2),
    Key("saved.rename", "r", "rename", "Give the query another name.", 3),
    Key("saved.forget", "d", "delete", "Delete the query.", 4),
    Key("saved.close", "escape,q", "close", "Close without doing anything.", 5),
    Key("editing.save", "enter,ctrl+s", "save", "Save the caption.", 1),
    Key("editing.newline", "ctrl+j", "new line", "Break the line.", 2),
    Key("editing.cancel", "escape", "cancel", "Leave the caption as it was; first close what is offered.", 3),
    Key("editing.complete", "tab", "complete", "Take over the tag that is offered first, or the one that was chosen."),
    Key("editing.next_offer", "down", "choose", "The next of the tags that are offered, else a line down."),
    Key("editing.previous_offer", "up", "choose back", "The one before, else a line up."),
    Key("words.tick", "space", "tick", "Tick or untick the word.", 1),
    Key("words.accept", "enter", "accept", "Use the ticked words.", 2),
    Key("words.close", "escape,q", "close", "Leave the list as it was.", 3),
    Key("items.edit", "enter", "edit", "Change the line.", 1),
    Key("items.add", "a", "add", "Add a line.", 2),
    Key("items.drop", "d", "drop", "Remove the line.", 3),
    Key("items.move_down", "J", "move down", "Move the line down."),
    Key("items.move_up", "K", "move up", "Move the line up."),
    Key("items.accept", "s,ctrl+s", "accept", "Use these lines.", 4),
    Key("items.close", "escape,q", "close", "Leave the lines as they were.", 5),
    Key("selections.put", "enter,space", "in or out", "Put the image into the selection, or take it out.", 1),
    Key("selections.recall", "o", "only these", "Show only the images in the selection.", 2),
    Key("selections.put_marked", "m", "marked ones", "Put all marked images into the selection.", 3),
    Key("selections.clear", "d", "empty", "Take all images out of the selection.", 4),
    Key("selections.close", "escape,q", "close", "Close without doing anything.", 5),
    Key("form.accept", "enter", "apply", "Make the edit.", 1),
    Key("form.next", "down,tab,j", "next", "The next field.", 2),
    Key("form.previous", "up,shift+tab,k", "previous", "The field before."),
    Key("form.turn", "right,l,space", "change", "The next value of the field.", 3),
    Key("form.turn_back", "left,h", "change back", "The value before."),
    Key("form.close", "escape,q", "close", "Leave without making the edit.", 4),
    Key("history.go_to", "enter", "go there", "Undo or redo, up to and with the edit under the cursor.", 1),
    Key("history.restore", "o", "originals", "Put back what the captions were before the first recorded edit.", 2),
    Key("history.close", "escape,q", "close", "Leave everything as it is.", 3),
    Key("dialog.accept", "enter", "choose", "Choose what is highlighted.", 1),
    Key("dialog.close", "escape,q", "close", "Close without doing anything.", 2),
)

TABLE: tuple[Key, ...] = (*EVERYWHERE, *LIST, *HOME, *CAPTIONS, *MONITOR, *PROFILE, *OTHERS)

_SHOWN = {
    "question_mark": "?",
    "exclamation_mark": "!",
    "apostrophe": "'",
    "colon": ":",
    "slash": "/",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "plus": "+",
    "minus": "-",
    "comma": ",",
    "full_stop": ".",
    "circumflex_accent": "^",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "equals_sign": "=",
}


def bindings(context: str) -> list[Binding]:
    """Textual's bindings for a screen, widget or app of `context`; ids let the user's keymap replace the keys."""
    return [
        Binding(row.keys, row.action, row.label, id=row.id, show=False, priority=row.id == "everywhere.quit")
        for row in TABLE
        if row.context == context
    ]


def shown(keys: str) -> str:
    """The first of `keys` as a person would write it: `question_mark,f1` is `?`."""
    first = keys.split(",", maxsplit=1)[0]
    return _SHOWN.get(first, first)


def all_shown(keys: str) -> str:
    """All of `keys`, separated by spaces, as a person would write them."""
    return " ".join(_SHOWN.get(key, key) for key in keys.split(","))


class KeyTable:
    """The table with the user's own keys in place of ours."""

    def __init__(self, remap: Mapping[str, str] | None = None, table: Iterable[Key] = TABLE) -> None:
        self.remap = _checked_remap(remap or {}, tuple(table))
        self._rows = tuple(replace(row, keys=self.remap.get(row.id, row.keys)) for row in table)

    def rows(self, *contexts: str) -> list[Key]:
        """The rows of these contexts, in the order of the contexts and then of the table."""
        return [row for context in contexts for row in self._rows if row.context == context]

    def press(self, name: str) -> str:
        """What to press for the action `name`, as a person would write it."""
        return shown(next(row.keys for row in self._rows if row.id == name))

    def footer(self, *contexts: str) -> list[Key]:
        """What the footer shows for these contexts, most useful first."""
        return sorted((row for row in self.rows(*contexts) if row.footer), key=lambda row: row.footer)


def key_table_of(widget: Widget) -> KeyTable:
    """The table that the widget's app goes by; ours in an app that has none."""
    return getattr(widget.app, "keys", None) or KeyTable()


def _checked_remap(remap: Mapping[str, str], table: tuple[Key, ...]) -> dict[str, str]:
    """The user's `[keys]` in Textual's names; an unknown id or two actions that one key could mean is an error."""
    if not remap:
        return {}
    known = {row.id: row for row in table}
    for name in remap:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise UserError(
                f"unknown action {name!r}",
                where="keys",
                remedy=f"Did you mean {near[0]!r}?" if near else "See docs/keys.md",
            )
    changed = {name: ",".join(map(_long_name, keys.split(","))) for name, keys in remap.items()}
    rows = [(row, key) for row in table for key in changed.get(row.id, row.keys).split(",")]
    for at, (row, key) in enumerate(rows):
        for other, same in rows[:at]:
            if key == same and other.id != row.id and _both_listen(other.context, row.context):
                raise UserError(f"{shown(key)!r} is given to both {other.id} and {row.id}", where="keys")
    return changed


def _both_listen(one: str, other: str) -> bool:
    """Whether a key could be meant for either context: on a screen its own keys, a list's and `everywhere`'s all count."""
    return one == other or (not {one, other} & MODAL and bool({one, other} & {"list", "everywhere"}))


def _long_name(key: str) -> str:
    key = key.strip()
    if not key:
        raise UserError("a key name is empty", where="keys", remedy='Write keys like "a,f6,comma"')
    return _character_to_key(key) if len(key) == 1 else key


def reference_page() -> str:
    """docs/keys.md, generated."""
    lines = [
        "# Keys",
        "",
        "One key means one thing everywhere. Any of them can be changed in the `[keys]` table of your settings file",
        '(`sdtui info` prints where it is): `"captions.add_tag" = "a,f6"`.',
        "",
        "This page is written by `python -m sdtui.tui.keys` from the table the program itself uses.",
    ]
    for context, title in CONTEXTS.items():
        rows = [row for row in TABLE if row.context == context]
        if rows:
            lines += ["", f"## {title}", "", "| keys | does | id |", "|---|---|---|"]
            lines += [f"| {_code(row.keys)} | {row.help} | `{row.id}` |" for row in rows]
    return "\n".join(lines) + "\n"


def _code(keys: str) -> str:
    return " ".join(f"`{_SHOWN.get(key, key)}`" for key in keys.split(","))


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference_page())
