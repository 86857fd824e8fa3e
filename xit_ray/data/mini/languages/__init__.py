"""One module a language: its lexicon and its grammar, written by hand. ``clause`` orders, ``write`` spells."""
