"""A user's own model and data for Hugging Face: a tiny BERT from a config, and sentences of its words."""

import time

import torch
from transformers import BertConfig, BertForSequenceClassification

SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8, "vocab_size": 8}


class Paced(torch.utils.data.Dataset):
    """64 sentences, labelled by their first word; `data()` makes it."""

    def __init__(self, words):
        self._words = words

    def __len__(self):
        """Count the sentences."""
        return len(self._words)

    def __getitem__(self, index):
        """Give a sentence and its label."""
        time.sleep(0.002)  # so that a run takes some seconds: time to be stopped in
        ids = self._words[index]
        return {"input_ids": ids, "labels": int(ids[0] > 3)}


def model(_trial=None):
    """Make the model anew: `hyperparameter_search` wants one for each run."""
    torch.manual_seed(1)
    return BertForSequenceClassification(BertConfig(**SIZES, num_labels=2))


def data():
    """Make the sentences, of four words each."""
    return Paced(torch.randint(3, 6, (64, 4), generator=torch.Generator().manual_seed(1)))
