"""The site's front page is the README, and links to files beside the pages lead to the repository's names."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
ELSEWHERE = re.compile(r"\[([^\]]+)\]\((?:\.\./)([^)]+)\)")
"""Links out of the pages' folder: what they name is in the repository, not on the site."""


def on_files(files: Files, config: Any) -> Files:
    """Add the README as the front page."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn links out of the pages' folder into names."""
    return ELSEWHERE.sub(lambda link: f"`{link[2]}`" if link[1] == link[2] else f"{link[1]} (`{link[2]}`)", markdown)
