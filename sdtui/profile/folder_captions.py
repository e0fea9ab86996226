"""How the captions of one folder are read: as `[captions]` says, except for what the folder's own table says."""

from __future__ import annotations

from sdtui.profile.schema import Captions, Profile

_MARK = "caption_"


def captions_of(profile: Profile, row: int) -> Captions:
    """The caption settings of `dataset.folders[row]`; the profile's own object where the folder has none of its own."""
    own = {
        name.removeprefix(_MARK): value
        for name, value in profile.dataset.folders[row]
        if name.startswith(_MARK) and value is not None
    }
    return profile.captions.model_copy(update=own) if own else profile.captions
