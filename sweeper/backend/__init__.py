"""Which W&B server, and all we say to it: the only room that imports `wandb`."""
