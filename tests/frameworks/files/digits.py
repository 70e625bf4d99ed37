"""A user's own net, data and table for Keras: handwritten digits."""

import time

import keras
import wandb
from sklearn.datasets import load_digits
from wandb.integration.keras import WandbEvalCallback

X, Y = load_digits(return_X_y=True)


def data():
    """Give pictures and what is on them."""
    return X / 16, Y


def net(learning_rate):
    """Make a small net."""
    layers = [keras.layers.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Predictions(WandbEvalCallback):
    """What the net takes four pictures for, after every epoch."""

    def __init__(self):
        """Name the columns of both tables."""
        super().__init__(["image", "label"], ["epoch", "image", "label", "predicted"])

    def add_ground_truth(self, logs=None):  # noqa: ARG002 - the SDK's names
        """Fill the table of pictures."""
        for image, label in zip(X[:4], Y[:4], strict=True):
            self.data_table.add_data(wandb.Image(image.reshape(8, 8) * 16), int(label))

    def add_model_predictions(self, epoch, logs=None):  # noqa: ARG002
        """Fill the table of guesses; a net that learns nothing takes its time: time to be stopped in."""
        guesses = self.model.predict(X[:4] / 16, verbose=0).argmax(axis=1)
        for row, guess in enumerate(guesses):
            self.pred_table.add_data(epoch, *self.data_table_ref.data[row], int(guess))
        time.sleep(0.5 if self.model.optimizer.learning_rate.numpy() < 0.001 else 0)
