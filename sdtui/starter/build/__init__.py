"""How the starter was made: fetch, render, train, export and report, each stage resuming from disk."""
