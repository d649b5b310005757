"""Web pages into the text of their article."""

import codecs
import re
from collections.abc import Callable

from claimsift.articles.lines import HOLDS_NUL, WINDOWS_1252
from claimsift.errors import InputError, first_line

# As browsers look for it: https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding
DECLARED = re.compile(
    rb"""<(?:meta|\?xml)\b[^>]{0,200}?\b(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
PRESCANNED = 1024  # bytes
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# What Python calls the encodings that browsers know: https://encoding.spec.whatwg.org/#names-and-labels. Others of its
# codecs make no text, raise what they like, or take for ever.
BROWSER_ENCODINGS = re.compile(
    r"utf-8|utf-16(?:-[bl]e)?|ascii|iso8859-(?:[1-9]|1[013-6])|cp(?:866|874|932|949|125[0-8])|tis-620|koi8-[ru]|"
    r"mac-(?:roman|cyrillic)|gb(?:2312|k|18030)|big5(?:hkscs)?|shift_jis|euc_(?:jp|kr)|iso2022_jp"
)


def article_text(name: str, page: bytes, on_assumption: Callable[[str], None]) -> str:
    """Returns the main text of a page, one block a line, without menus, forms and comments.

    It is what `trafilatura <https://trafilatura.readthedocs.io>`_ (Apache 2.0) takes for it.

    Args:
        name: what an error calls the page.
        page: the file.
        on_assumption: told of an encoding that was assumed.

    Raises:
        InputError: there is none, trafilatura fails on the page, or it is not installed.
    """
    try:
        import trafilatura
    except ImportError as error:
        raise InputError(name, "reading HTML needs trafilatura; run: pip install 'claimsift[html]'") from error
    markup = decode_page(name, page, on_assumption)
    if "\0" in markup:
        raise InputError(name, HOLDS_NUL)
    try:
        text = trafilatura.extract(markup, include_comments=False)
    except MemoryError:
        raise
    except Exception as error:  # whatever it and the parsers below it raise, the other pages are to be scored
        reason = f"trafilatura cannot read this page ({first_line(error)}); save its text as a .txt file"
        raise InputError(name, reason) from error
    if not text:
        raise InputError(name, "no article was found in this page; save its text as a .txt file")
    return text


def decode_page(name: str, page: bytes, on_assumption: Callable[[str], None]) -> str:
    """Decodes a page by its byte order mark, by the encoding it declares, as UTF-8, or as Windows-1252."""
    marked = (encoding for mark, encoding in BYTE_ORDER_MARKS.items() if page.startswith(mark))
    declared = next(marked, None) or _declared(page)
    for encoding in filter(None, (declared, "utf-8", "cp1252")):
        text = _decode(page, encoding)
        if text is not None:
            break
    else:
        raise InputError(name, "neither UTF-8 nor Windows-1252; convert it to UTF-8")
    if encoding != (declared or "utf-8"):
        on_assumption(f"read as {_title(encoding)}, it is not {_title(declared or 'utf-8')}")
    return text.removeprefix("\ufeff")


def _declared(page: bytes) -> str | None:
    found = DECLARED.search(page[:PRESCANNED])
    if not found:
        return None
    try:
        encoding = codecs.lookup(found[1].decode("ascii")).name
    except (LookupError, UnicodeDecodeError):
        return None
    if not BROWSER_ENCODINGS.fullmatch(encoding):
        return None
    if encoding.startswith("utf-16"):  # it could not have been read
        return "utf-8"
    return "cp1252" if encoding in ("iso8859-1", "ascii") else encoding


def _title(encoding: str) -> str:
    return WINDOWS_1252 if encoding == "cp1252" else encoding.upper()


def _decode(page: bytes, encoding: str) -> str | None:
    try:
        return page.decode(encoding)
    except UnicodeDecodeError:
        return None
