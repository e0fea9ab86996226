"""Settings of words that learn, of templates and of file names, that do not go together; `sdtui.profile.rules` runs these too."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator

from sdtui.profile.naming import layouts
from sdtui.profile.no_effect import Unused, UnusedRule, idle, warning
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Method, Profile

ALONE = "textual-inversion"
"""The kind of method that trains words and nothing else."""

# Of [method], what is not for words.
_OF_LAYERS = tuple(name for name in Method.model_fields if name not in {"kind", "words"})
_NO_WORDS = "there is no [[method.words]]"


def words(profile: Profile) -> Iterator[Finding]:
    """Textual inversion has words, no two of one name, each with one start."""
    method = profile.method
    if method.kind == ALONE and not method.words:
        message = f'method.kind = "{ALONE}" trains words, and {_NO_WORDS}'
        yield Finding("missing", "method.words", message, 'Write [[method.words]], and name = "…" below it')
    names = [word.name.lower() for word in method.words]
    for number, word in enumerate(method.words):
        key = f"method.words[{number}]"
        if word.name.lower() in names[:number]:
            message = f'{key}.name is "{word.name}", as another one\'s; capitals make no difference to the text encoder'
            yield Finding("twice", f"{key}.name", message, "Give each a name of its own")
        if word.continue_from and word.init != "*":
            yield idle(f"{key}.init", "it starts with the vectors of continue_from", "Leave one of the two out")
        if word.norm and profile.optimizer.name.startswith("schedule-free"):
            message = f"{key}.norm does not go with {profile.optimizer.name}, which averages the steps themselves"
            yield Finding("contradiction", f"{key}.norm", message, "Leave it out, or choose another optimizer")


def alone(profile: Profile) -> Iterator[Unused]:
    """Where only words learn, what shapes adapters or the rates of layers does nothing."""
    if profile.method.kind != ALONE:
        return
    why = f'method.kind = "{ALONE}" trains words only'
    yield Unused("method", _OF_LAYERS, why, "Leave it out")
    yield Unused("optimizer", ("lora_plus_ratio", "block_rates"), why, "Leave it out")
    # Zero asks for what words have by themselves.
    if profile.optimizer.weight_decay != 0:
        yield Unused(
            "optimizer", ("weight_decay",), f"{why}, each with its own", "Set weight_decay in [[method.words]]"
        )


def folder_words(profile: Profile) -> Iterator[Finding]:
    """A folder names a word that there is, and a template that asks for it."""
    known = {word.name.lower(): word.name for word in profile.method.words}
    for row, folder in enumerate(profile.dataset.folders):
        if not folder.word:
            continue
        key = f"dataset.folders[{row}].word"
        if folder.word.lower() not in known:
            near = difflib.get_close_matches(folder.word.lower(), known, n=1)
            remedy = f'Did you mean "{known[near[0]]}"?' if near else "Name one of [[method.words]], or leave it out"
            yield Finding("no-word", key, f'{key}: there is no word "{folder.word}"', remedy)
        elif not (profile.captions.template or profile.captions.template_file):
            yield idle(key, "captions are put into no template", "Set captions.template, or leave it out")


def templates(profile: Profile) -> Iterator[Finding]:
    """One template, not two."""
    captions = profile.captions
    if captions.template and captions.template_file:
        message = "captions.template and captions.template_file contradict each other"
        yield Finding("contradiction", "captions.template", message, "Keep one of the two")


def pattern(profile: Profile) -> Iterator[Finding]:
    """The expression is one."""
    try:
        re.compile(profile.captions.file_name_pattern)
    except re.error as error:
        message = f"captions.file_name_pattern is no regular expression: {error}"
        yield Finding(
            "bad-pattern", "captions.file_name_pattern", message, r"Write one such as [a-z]+; \( is a bracket"
        )


def file_names(profile: Profile) -> Iterator[Unused]:
    """File names are read, and taken apart where there is something to join."""
    captions = profile.captions
    if captions.on_missing != "file-name":
        why, remedy = 'captions.on_missing is not "file-name"', "Set it so, or leave this out"
        yield Unused("captions", ("file_name_pattern", "file_name_join"), why, remedy)
    elif not captions.file_name_pattern:
        why = "captions.file_name_pattern is empty"
        yield Unused("captions", ("file_name_join",), why, "Set it, or leave this out")


def word_layouts(profile: Profile) -> Iterator[Finding]:
    """Layouts of words need words; a bundle needs an adapter to be in, and names that its keys can hold."""
    method, formats = profile.method, profile.saving.word_formats
    key = "saving.word_formats"
    if formats and not method.words:
        yield idle(key, _NO_WORDS, "Leave it out")
    for index, layout in enumerate(formats):
        if layout in formats[:index]:
            yield Finding("twice", key, f'{key} holds "{layout}" twice', "Remove one", at=f"{key}[{index}]")
    if "bundle" not in formats:
        return
    if method.kind != "lora" or "kohya" not in layouts(profile):
        message = f"\"bundle\" in {key} is for words in an adapter's file of kohya's layout, and there is none"
        yield Finding("contradiction", key, message, 'Write "kohya"', '"kohya"')
    dotted = next((word.name for word in method.words if "." in word.name), "")
    if dotted:
        message = f'"bundle" in {key} cannot hold the word "{dotted}": readers take the name up to its first point'
        yield Finding("contradiction", key, message, "Give it a name without a point")


_OF_FILE_NAMES = ("captions.on_missing", "captions.file_name_pattern", "captions.file_name_join")
UNUSED: dict[UnusedRule, tuple[str, ...]] = {
    alone: (
        "method.kind",
        "method.words",
        "optimizer.lora_plus_ratio",
        "optimizer.block_rates",
        "optimizer.weight_decay",
    ),
    file_names: _OF_FILE_NAMES,
}
RULES: dict[Callable[[Profile], Iterator[Finding]], tuple[str, ...]] = {
    words: ("method.kind", "method.words", "optimizer.name"),
    **{warning(rule): keys for rule, keys in UNUSED.items()},
    folder_words: ("method.words", "dataset.folders", "captions.template"),
    templates: ("captions.template", "captions.template_file"),
    pattern: ("captions.file_name_pattern",),
    word_layouts: ("method.kind", "method.words", "saving.formats", "saving.word_formats"),
}
