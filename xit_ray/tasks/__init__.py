"""The tasks: one small file a dataset, one base a kind. ``registry.get(NAME)`` finds a task by its name."""
