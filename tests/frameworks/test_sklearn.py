"""scikit-learn with the plots of `wandb.sklearn`, as docs/frameworks.md shows it, and every plot that it has."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(240)]

CLASSIFIER = {
    "feature_importances": "bars",
    "confusion_matrix": "matrix",
    "summary_metrics": "bars",
    "class_proportions": "bars",
    "calibration_curve": "lines",
    "roc": "lines",
    "precision_recall": "lines",
}
OTHERS = {
    "learning_curve": "lines",
    "summary_metrics": "bars",
    "outlier_candidates": "points",
    "residuals": "points",
    "elbow_curve": "lines",
    "silhouette": "points",
    "boundaries": "points",
}
PLOT = """
    import wandb
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_diabetes, load_iris
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    from wandb.integration.sklearn import calculate

    x, x_val, y, y_val = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
    flowers = load_iris().data
    means = KMeans(3, n_init=1, random_state=0).fit(flowers)
    dots = [list(range(300))] * 2, ["a"] * 300
    with wandb.init(project="plots", id="r") as run:
        wandb.sklearn.plot_regressor(Ridge().fit(x, y), x, x_val, y, y_val)
        wandb.sklearn.plot_elbow_curve(means, flowers)
        # plot_silhouette takes no clusterer of scikit-learn 1.9 for one; this is what it logs
        silhouette = calculate.silhouette(means, flowers, means.labels_, ["a", "b", "c"], "euclidean", True)
        boundaries = calculate.decision_boundaries(*dots[0], "b", *dots[0], dots[1], *dots[0], dots[1])
        run.log({"silhouette": silhouette, "boundaries": boundaries})
    print('"done"')
"""


def test_a_sweep_of_forests(bench):
    """The plots of a classifier are drawn on the run's page, each with its table behind it; the bad run ended early."""
    bench.type_in("scikit-learn", "trees.py")
    sweep = bench.create("forest.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert (good["config"], len(good.logged("accuracy"))) == ({"max_depth": 6}, 30)
    assert 2 <= len(bad.logged("accuracy")) < 30
    assert {key: bench.chart(good, key)["kind"] for key in CLASSIFIER} == CLASSIFIER
    assert good.logged("confusion_matrix")[0]["_type"] == "table-file"
    assert sum(bench.chart(good, "confusion_matrix")["values"]) == 143
    assert bench.page(good, "charts")["tables"] == []


def test_every_other_plot_is_drawn(bench):
    """Those of regressors and clusterers."""
    bench.user.serve()
    bench.says(PLOT)
    run = {"project": "plots", "id": "r"}
    assert {key: bench.chart(run, key)["kind"] for key in OTHERS} == OTHERS
    assert all(chart["total"] > 2 for chart in (bench.chart(run, key) for key in OTHERS))
    assert bench.page(run, "charts")["tables"] == []
