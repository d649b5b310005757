import json

from eval.soak import find_drift, main


def test_a_short_run_scores_every_sentence_each_time_with_the_same_result(tmp_path):
    main(["--sentences", "400", "--times", "3", "--output", str(tmp_path)])
    report = json.loads((tmp_path / "soak.json").read_text())
    assert (report["sentences"], report["drifting"], report["largest_difference"]) == (1200, 0, 0)
    assert len(report["memory_bytes"]) == 10
    assert 30e6 < max(report["memory_bytes"]) < 1e9
    assert "1,200 rows" in (tmp_path / "soak.md").read_text()


def test_a_result_that_differs_is_drift(tmp_path):
    scores = {"claim": 0.5, "denial": 0.25, "unverified_report": 0.25, "background": 0.0}
    rows = [{"article_id": "1", "label": "claim", **scores}, {"article_id": "2", "label": "claim", **scores}]
    rows += [rows[0], rows[1] | {"label": "denial", "denial": 0.5}]
    path = tmp_path / "scored.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert find_drift(path) == {"sentences": 4, "drifting": 1, "largest_difference": 0.25}
