"""What a finished net leaves with its run: its test, its mistakes, its file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL import Image, PngImagePlugin  # noqa: F401 what wandb.Image would import in each run
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 its name in every PyTorch program

from trainer.data import Data, Split
from trainer.export import export_onnx
from trainer.loop import Training, predict, score

if TYPE_CHECKING:
    import wandb

WORST = 20  # mistakes shown
CHECKED = 64  # test images that the exported file is checked with


def report_test(run: wandb.Run, training: Training) -> None:
    """Test the net, once: whoever chooses by the test set has no test set left."""
    sent = run.starting_step > training.at.examples
    if sent and run.summary.get("test_accuracy") is not None:  # type: ignore[no-untyped-call]  # wandb 0.31
        return  # a process that was killed at the very end has sent it
    data = training.data
    logits = predict(training.model, data.test, training.config)
    test_loss, test_accuracy = score(logits, data.test)
    media = {"confusion_matrix": confusion_matrix(logits, data), **worst_mistakes(logits, data)}
    # a process that was killed may have sent the last pass's row, which this one joins: there is no way back to it
    step = max(training.at.examples, run.starting_step)
    run.log({"test_loss": test_loss, "test_accuracy": test_accuracy, **media}, step=step)


def confusion_matrix(logits: Tensor, data: Data) -> object:
    """Draw which class was taken for which."""
    import wandb

    named = logits.argmax(dim=1).tolist()
    return wandb.plot.confusion_matrix(
        y_true=data.test.labels.tolist(), preds=named, class_names=list(data.classes), title="Test images"
    )


def worst_mistakes(logits: Tensor, data: Data) -> dict[str, object]:
    """List the images that were named wrongly with the most conviction, and show them.

    The pictures lie beside the table, not in it: each is then found by its own name.
    """
    import wandb

    table = wandb.Table(columns=["image", "class", "named", "probability", "loss"])
    pictures = []
    for place, loss, share in worst(logits, data.test):
        right, wrong = data.classes[data.test.labels[place]], data.classes[logits[place].argmax()]
        table.add_data(place, right, wrong, share, loss)
        pixels = data.test.images[place].cpu().numpy()
        pictures.append(wandb.Image(pixels.squeeze(), caption=f"{place}: {right}, named {wrong} ({share:.0%})"))
    return {"worst_mistakes": table} | ({"worst_images": pictures} if pictures else {})


def worst(logits: Tensor, split: Split) -> list[tuple[int, float, float]]:
    """Give place, loss and the wrong name's probability of the worst mistakes, the worst first."""
    losses = F.cross_entropy(logits, split.labels, reduction="none")
    losses[logits.argmax(dim=1) == split.labels] = -1
    values, places = losses.topk(min(WORST, len(losses)))
    shares = torch.softmax(logits[places], dim=1).amax(dim=1)
    rows = zip(places.tolist(), values.tolist(), shares.tolist(), strict=True)
    return [row for row in rows if row[1] >= 0]


def save_model(run: wandb.Run, training: Training) -> None:
    """Export the net and keep it with the run, as the file `model.onnx` and as an artifact."""
    import wandb

    path = Path(run.dir) / "model.onnx"  # the run's own directory: runs side by side never meet
    path.parent.mkdir(parents=True, exist_ok=True)  # WANDB_MODE=disabled makes none
    images, _ = training.data.test.batch(torch.arange(CHECKED, device=training.device) % len(training.data.test))
    exported = export_onnx(training.model, images, path)
    run.summary.update(
        {
            "onnx_opset": exported.opset,
            "onnx_inputs": exported.inputs,
            "onnx_max_difference": exported.max_difference,
        }
    )
    run.save(path, base_path=path.parent, policy="now")
    artifact = wandb.Artifact(f"model-{run.id}", type="model", metadata=training.config.model_dump(mode="json"))
    artifact.add_file(str(path))
    run.log_artifact(artifact)
