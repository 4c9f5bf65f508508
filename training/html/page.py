"""Write sections down: as a page that needs no network and no script, and in Markdown."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from training.html.blocks import Figure, Picture, Section


class Page(NamedTuple):
    """A page, and the pictures that are part of it."""

    html: str
    pictures: tuple[Picture, ...]


def render_page(package: str, template: str, sections: Sequence[Section], **named: Any) -> Page:
    """Make a page of sections; the `template` of a package fills the blocks of `page.html`."""
    html = _render(package, template, autoescape=True, sections=sections, **named)
    blocks = (block for section in sections for block in section.blocks)
    shown = tuple(p for block in blocks if isinstance(block, Figure) for p in block.pictures)
    return Page(html, shown)


def render_markdown(package: str, template: str, sections: Sequence[Section], **named: Any) -> str:
    """Write sections in Markdown; the `template` of a package includes `sections.md`."""
    return _render(package, template, autoescape=False, sections=sections, **named)


def _render(package: str, template: str, *, autoescape: bool, **named: Any) -> str:
    templates = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("training.html", ".")]),
        autoescape=autoescape,  # noqa: S701 - Markdown is made of our own words and numbers
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not autoescape,
    )
    templates.filters["unbroken"] = _unbroken
    templates.filters["data_url"] = _data_url
    return templates.get_template(template).render(**named)


def _unbroken(text: str) -> str:
    """Keep a number with its percent sign, and "3-fold", on one line."""
    return text.replace(" %", "\u00a0%").replace("3-fold", "3\u2011fold")


def _data_url(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{b64encode(picture.data).decode()}"
