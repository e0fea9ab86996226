"""What may be the matter with a caption, one byte each: as the list shows it, and as `!` and `o` look for it."""

# A caption with nothing in it is as good as none; BROKEN: it cannot be read; TWICE: a tag stands in it more than once.
FINE, UNTAGGED, BROKEN, TWICE = range(4)
