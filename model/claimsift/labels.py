"""The four labels, in the order of the model's output columns, and their colours."""

LABELS = ("claim", "denial", "unverified_report", "background")
BACKGROUND = LABELS[-1]  # none of the others

LABEL_TO_ID = {label: index for index, label in enumerate(LABELS)}
ID_TO_LABEL = dict(enumerate(LABELS))

# Okabe and Ito's palette, which stays distinct for colour-blind readers (https://jfly.uni-koeln.de/color/).
COLOURS = {
    "claim": "#56B4E9",
    "denial": "#D55E00",
    "unverified_report": "#E69F00",
    "background": "#999999",
}
