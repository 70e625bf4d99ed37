"""A user's own net and data for Lightning: y = 2x. Net logs `val/loss` after every epoch."""

import time

import lightning
import torch


def data():
    """Load 64 numbers and their doubles, in batches of 16."""
    x = torch.linspace(-1, 1, 64).unsqueeze(1)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, 2 * x), batch_size=16)


class Net(lightning.LightningModule):
    """One weight."""

    def __init__(self, learning_rate):  # noqa: ARG002 save_hyperparameters takes it
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch):
        """Compute the loss of a batch."""
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layer(x), y)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch):
        """Log the loss of a batch."""
        x, y = batch
        self.log("val/loss", torch.nn.functional.mse_loss(self.layer(x), y), sync_dist=True)

    def on_train_epoch_end(self):
        """Take the time that a larger net takes, where the learning rate is a bad one: time to be stopped in."""
        time.sleep(0.5 if self.hparams.learning_rate < 1e-3 else 0)

    def configure_optimizers(self):
        """Train it by SGD."""
        return torch.optim.SGD(self.parameters(), lr=self.hparams.learning_rate)
