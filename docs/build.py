"""Make HTML of every page in docs/ and of README.rst and CHANGELOG.rst, in docs/_build; warnings are errors.

The pages link each other as ``other.rst``, so that they can be read in the repository; in the HTML the links say
``other.html``. The tables of ``configuration.rst`` are written anew from the declarations first.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.core import publish_file
from docutils.transforms import Transform
from docutils.writers.html5_polyglot import Writer

from openocpp.config.reference import configuration_page

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
OUTPUT = DOCS / "_build"
STYLE = "body { max-width: 62em; margin: 2em auto; padding: 0 1em; font-family: sans-serif; line-height: 1.5 }"


class LinksToHtml(Transform):
    """Point links between pages at the HTML that is made of them."""

    default_priority = 900

    def apply(self, **_kwargs: Any) -> None:
        for reference in self.document.findall(nodes.reference):
            target, mark, fragment = reference.get("refuri", "").partition("#")
            if target.endswith(".rst") and "://" not in target:
                page = target.removeprefix("docs/").removeprefix("../").removesuffix(".rst")
                reference["refuri"] = f"{page}.html{mark}{fragment}"


class PageWriter(Writer):  # type: ignore[misc]
    """The writer of docutils with the links above."""

    def get_transforms(self) -> list[type[Transform]]:
        return [*super().get_transforms(), LinksToHtml]


def main() -> int:
    """Build all pages; the result is the exit code."""
    (DOCS / "configuration.rst").write_text(configuration_page(), encoding="utf-8")
    OUTPUT.mkdir(exist_ok=True)
    style = OUTPUT / "style.css"
    style.write_text(STYLE, encoding="utf-8")
    settings = {
        "halt_level": 2,  # warnings end it
        "embed_stylesheet": True,
        "stylesheet_path": f"minimal.css,{style}",
        "syntax_highlight": "short",
        "input_encoding": "utf-8",
        "output_encoding": "utf-8",
    }
    for page in sorted([*DOCS.glob("*.rst"), ROOT / "README.rst", ROOT / "CHANGELOG.rst"]):
        target = OUTPUT / f"{page.stem}.html"
        publish_file(
            source_path=str(page), destination_path=str(target), writer=PageWriter(), settings_overrides=settings
        )
        print(target.relative_to(ROOT))
    for picture in DOCS.glob("*.png"):
        shutil.copy(picture, OUTPUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
