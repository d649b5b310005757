"""Files and rows into articles.

A .txt or .html file is one article; every row of a .jsonl, .csv, .tsv or .parquet file is one. All but .parquet may be
compressed, as .gz or .zst. Files are streamed: none is ever unpacked or held whole, but for a .txt or .html file. Input
that cannot be read is handed to ``on_error`` with its file and line, and reading goes on behind it; what was read on an
assumption, as that a file is in Windows-1252, to ``on_notice``.
"""

from claimsift.articles.reader import STANDARD_INPUT, Article, ArticleReader

__all__ = ["STANDARD_INPUT", "Article", "ArticleReader"]
