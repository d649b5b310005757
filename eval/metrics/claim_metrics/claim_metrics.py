"""The project's figures as an ``evaluate`` module: ``evaluate.load("eval/metrics/claim_metrics")``."""

import datasets
import evaluate
from sklearn.metrics import accuracy_score, confusion_matrix, matthews_corrcoef, precision_recall_fscore_support

from claimsift.labels import LABELS

_DESCRIPTION = """
Figures for sentences labelled claim, denial, unverified_report or background: the classes are very unequal, so the mean
of the four F1 scores counts, not accuracy.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions: label ids, in the order of claimsift.labels.LABELS.
    references: label ids of the same sentences.
Returns:
    macro_f1: mean of the F1 of the four labels; a label that is neither there nor predicted counts 0.
    accuracy: share of sentences with the right label.
    mcc: Matthews correlation coefficient.
    precision_LABEL, recall_LABEL, f1_LABEL, support_LABEL: of each label.
    confusion: 4 × 4 counts, rows are references and columns predictions.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _KWARGS_DESCRIPTION)
class ClaimMetrics(evaluate.Metric):
    def _info(self):
        label = datasets.Value("int32")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_KWARGS_DESCRIPTION,
            features=datasets.Features({"predictions": label, "references": label}),
        )

    def _compute(self, predictions, references):
        ids = range(len(LABELS))
        by_label = precision_recall_fscore_support(references, predictions, labels=ids, zero_division=0)
        figures = {
            "macro_f1": float(by_label[2].mean()),
            "accuracy": float(accuracy_score(references, predictions)),
            "mcc": float(matthews_corrcoef(references, predictions)),
        }
        for label, precision, recall, f1, support in zip(LABELS, *by_label, strict=True):
            figures[f"precision_{label}"] = float(precision)
            figures[f"recall_{label}"] = float(recall)
            figures[f"f1_{label}"] = float(f1)
            figures[f"support_{label}"] = int(support)
        figures["confusion"] = confusion_matrix(references, predictions, labels=ids).tolist()
        return figures
