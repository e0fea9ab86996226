"""The sections of a profile, one module for each group: `sdtui.profile.schema` puts them together."""
