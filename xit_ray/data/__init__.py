"""Data: sources (folder, hub, built-in), rows as Arrow tables, tokenisation."""
