"""The plan: which stages a search's recipes need, which of them are shared, and whether all of it can run."""
