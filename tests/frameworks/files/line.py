"""A user's own net and data in plain PyTorch: y = 2x."""

import time

import torch


def net():
    """One weight."""
    return torch.nn.Linear(1, 1)


def sgd(net, learning_rate):
    """Make the optimizer."""
    return torch.optim.SGD(net.parameters(), lr=learning_rate)


def data():
    """Load 64 numbers and their doubles, in batches of 16."""
    x = torch.linspace(-1, 1, 64).unsqueeze(1)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, 2 * x), batch_size=16)


def epoch(net, optimizer, data, backward=torch.Tensor.backward):
    """Train for an epoch; give the last loss. A bad learning rate takes its time: time to be stopped in."""
    for x, y in data:
        loss = torch.nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()
    time.sleep(0.5 if optimizer.param_groups[0]["lr"] < 1e-3 else 0)
    return loss.item()


def losses(learning_rate):
    """Train for 30 epochs; give the loss after each."""
    model = net()
    optimizer = sgd(model, learning_rate)
    for _ in range(30):
        yield epoch(model, optimizer, data())
