"""Whether the words that are trained are read at all: by a template's `[name]`, or by captions that hold them."""

from __future__ import annotations

from collections.abc import Iterator

from sdtui.dataset.class_caption import has_trigger
from sdtui.dataset.collect import Collection
from sdtui.dataset.pipeline import whole
from sdtui.dataset.templates import NAME, Template, lines_of, template_of
from sdtui.errors import UserError
from sdtui.profile.folder_rules import captions_of
from sdtui.profile.problem import Finding
from sdtui.profile.schema import Profile


def word_findings(profile: Profile, collection: Collection) -> Iterator[Finding]:
    """What is wrong with the template, and which words nothing would ever read."""
    key = "captions.template_file" if profile.captions.template_file else "captions.template"
    try:
        lines = lines_of(profile.captions)
        templates = [template_of(profile, row) for row in range(len(profile.dataset.folders))]
    except UserError as error:
        yield Finding("bad-template", key, f"{key}: {error.message}", error.remedy or "")
        return
    words = profile.method.words
    if Template(lines).reads_name and not words:
        message = f"{key} has lines with {NAME}, and the profile trains no word"
        yield Finding("contradiction", key, message, "Give it [[method.words]], or choose a template without")
    for number, word in enumerate(words):
        if collection.training and not _is_read(word.name, profile, collection, templates):
            message = f'neither a caption nor a template holds the word "{word.name}": it would learn nothing'
            remedy = 'Set captions.template = "subject", for example, or write the word into captions'
            yield Finding("no-word", f"method.words[{number}].name", message, remedy)


def require_read_words(profile: Profile, collection: Collection) -> None:
    """Stop before training what could not learn.

    Raises:
        UserError: the first of `word_findings`.
    """
    for finding in word_findings(profile, collection):
        raise UserError(finding.message, where=finding.key, remedy=finding.remedy)


def _is_read(name: str, profile: Profile, collection: Collection, templates: list[Template | None]) -> bool:
    for sample in collection.training:
        template = templates[sample.row]
        if template and template.reads_name and has_trigger(template.name, name):
            return True
        if has_trigger(whole(sample.caption, captions_of(profile, sample.row), template), name):
            return True
    return False
