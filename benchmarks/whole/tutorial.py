"""W&B's PyTorch introduction as a sweep's program, kept as it is taught: what a stock `wandb agent` starts.

Only the data differ: the shipped digits lie where torchvision looks for MNIST's, and a tenth of them is left out, as
the shipped trainer leaves it out to validate on.
"""

from __future__ import annotations

import argparse
import json
import random
from typing import Any

import numpy as np
import torch
import torchvision
import wandb
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms

torch.backends.cudnn.deterministic = True
random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
torch.cuda.manual_seed_all(0)
DEVICE = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


class ConvNet(nn.Module):
    """Two blocks and a linear layer."""

    def __init__(self, kernels: list[int], classes: int = 10) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(
            nn.Conv2d(1, kernels[0], kernel_size=5, stride=1, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
        )
        self.layer2 = nn.Sequential(
            nn.Conv2d(kernels[0], kernels[1], kernel_size=5, stride=1, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
        )
        self.fc = nn.Linear(7 * 7 * kernels[-1], classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the logits."""
        out = self.layer2(self.layer1(x))
        return self.fc(out.reshape(out.size(0), -1))


def model_pipeline(hyperparameters: dict[str, Any]) -> None:
    """Make, train, test."""
    with wandb.init(config=hyperparameters):
        config = wandb.config
        model, train_loader, test_loader, criterion, optimizer = make(config)
        print(model)
        train(model, train_loader, criterion, optimizer, config)
        test(model, test_loader)


def make(config: Any) -> tuple[nn.Module, DataLoader, DataLoader, nn.Module, torch.optim.Optimizer]:
    """Make the data, the model and the optimizer."""
    full = torchvision.datasets.MNIST(root=".", train=True, transform=transforms.ToTensor(), download=True)
    held_out = torchvision.datasets.MNIST(root=".", train=False, transform=transforms.ToTensor(), download=True)
    train_loader = make_loader(Subset(full, [n for n in range(len(full)) if n % 10]), config.batch_size)
    test_loader = make_loader(held_out, config.batch_size)
    model = ConvNet(config.kernels, config.classes).to(DEVICE)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    return model, train_loader, test_loader, criterion, optimizer


def make_loader(dataset: Dataset, batch_size: int) -> DataLoader:
    """Make a loader with two workers."""
    return DataLoader(dataset=dataset, batch_size=batch_size, shuffle=True, pin_memory=True, num_workers=2)


def train(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Any, config: Any) -> None:
    """Train, watched."""
    wandb.watch(model, criterion, log="all", log_freq=10)
    example_ct = batch_ct = 0
    for epoch in range(config.epochs):
        for images, labels in loader:
            loss = train_batch(images, labels, model, optimizer, criterion)
            example_ct += len(images)
            batch_ct += 1
            if ((batch_ct + 1) % 25) == 0:
                wandb.log({"epoch": epoch, "loss": loss}, step=example_ct)
                print(f"Loss after {str(example_ct).zfill(5)} examples: {loss:.3f}")


def train_batch(images: Any, labels: Any, model: nn.Module, optimizer: Any, criterion: nn.Module) -> torch.Tensor:
    """Take a step."""
    images, labels = images.to(DEVICE), labels.to(DEVICE)
    outputs = model(images)
    loss: torch.Tensor = criterion(outputs, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def test(model: nn.Module, test_loader: DataLoader) -> None:
    """Test, and save the model in the exchangeable ONNX format."""
    model.eval()
    correct = total = 0
    images = torch.empty(0)
    with torch.no_grad():
        for batch, names in test_loader:
            images, labels = batch.to(DEVICE), names.to(DEVICE)
            predicted = torch.max(model(images).data, 1)[1]
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
        print(f"Accuracy of the model on the {total} test images: {correct / total:%}")
        wandb.log({"test_accuracy": correct / total})
    torch.onnx.export(model, images, "model.onnx")
    wandb.save("model.onnx")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("epochs", "batch_size", "learning_rate", "kernels"):
        parser.add_argument(f"--{name}", type=json.loads)
    model_pipeline({**vars(parser.parse_args()), "classes": 10, "dataset": "MNIST", "architecture": "CNN"})
