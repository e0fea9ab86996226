"""The training profile: one TOML file that says what to train."""
