"""The labelled dataset: validated records, hydrated with the texts they stand off from."""

from claimsift.annotations.dataset import load_annotations
from claimsift.annotations.records import Record, RecordError, read_records

__all__ = ["Record", "RecordError", "load_annotations", "read_records"]
