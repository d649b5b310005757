"""One Parquet row a sentence, compressed with zstd."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from claimsift.articles import Article
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from claimsift.output.rows import as_text, to_rows
from claimsift.predict import ScoredSentence

ROW_GROUP = 20_000  # rows that are held until they are written together


class ParquetWriter:
    def __init__(self, stream: BinaryIO, keep: Sequence[str] = (), skip_furniture: bool = False):
        self._keep, self._skip_furniture = keep, skip_furniture
        self._pyarrow, parquet = _import_pyarrow()
        self._schema = _schema(self._pyarrow, keep)
        self._writer = parquet.ParquetWriter(stream, self._schema, compression="zstd")
        self._rows = []

    def write(self, article: Article, sentences: list[ScoredSentence]) -> None:
        for row in to_rows(article, sentences, self._keep, self._skip_furniture):
            self._rows.append(row | {column: as_text(row[column]) for column in self._keep})
        if len(self._rows) >= ROW_GROUP:
            self._write_rows()

    def close(self) -> None:
        self._write_rows()
        self._writer.close()

    def _write_rows(self) -> None:
        if self._rows:
            self._writer.write_table(self._pyarrow.Table.from_pylist(self._rows, self._schema))
            self._rows = []

    @staticmethod
    def join(parts: list[Path], stream: BinaryIO) -> None:
        pyarrow, parquet = _import_pyarrow()
        waiting = parquet.read_schema(parts[0]).empty_table()
        with parquet.ParquetWriter(stream, waiting.schema, compression="zstd") as writer:
            for path in parts:
                with parquet.ParquetFile(path) as part:
                    for batch in part.iter_batches(ROW_GROUP):
                        waiting = pyarrow.concat_tables([waiting, pyarrow.Table.from_batches([batch])])
                        # The file must not depend on where its parts were cut.
                        while len(waiting) >= ROW_GROUP:
                            writer.write_table(waiting.slice(0, ROW_GROUP).combine_chunks())
                            waiting = waiting.slice(ROW_GROUP)
            if len(waiting):
                writer.write_table(waiting.combine_chunks())


def _schema(pyarrow, keep: Sequence[str]):
    return pyarrow.schema(
        {
            "article_id": pyarrow.string(),
            "sentence_index": pyarrow.int64(),
            "start": pyarrow.int64(),
            "end": pyarrow.int64(),
            "text": pyarrow.string(),
            "label": pyarrow.string(),
            "score": pyarrow.float64(),
            **dict.fromkeys(LABELS, pyarrow.float64()),
            "truncated": pyarrow.bool_(),
            "furniture": pyarrow.bool_(),
            **dict.fromkeys(keep, pyarrow.string()),
        }
    )


def _import_pyarrow():
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise ClaimsiftError("Parquet needs pyarrow; run: pip install 'claimsift[parquet]'") from None
    return pyarrow, pyarrow.parquet
