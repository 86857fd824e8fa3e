"""A search on a cluster that ``ray up`` made: sent there, watched, stopped and brought home from a laptop."""
