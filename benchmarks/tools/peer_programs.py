"""What each tool of benchmarks/peers.py is given to run, as its documentation says."""

from __future__ import annotations

WORK = """
import json, os, time

def work(seconds):
    begin = time.time()
    time.sleep(seconds)
    line = json.dumps({"begin": begin, "end": time.time(), "pid": os.getpid()}) + "\\n"
    file = os.open(os.environ["TIMES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, line.encode())
    os.close(file)
"""
TRAINER = """
import os, wandb
from work import work

def train():
    with wandb.init() as run:
        work(float(os.environ["SECONDS_A_RUN"]))
        run.log({"loss": run.config.x})
"""
STOCK = """
import sys, wandb
from trainer_of_peers import train

wandb.agent(sys.argv[1], function=train, entity="local", project="bench", count=int(sys.argv[2]))
"""
RAY = """
import os, sys
import ray
from ray import tune
from work import work

def train(config):
    work(float(os.environ["SECONDS_A_RUN"]))
    tune.report({"loss": config["x"]})

ray.init(address="local", num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1")
tuner = tune.Tuner(
    tune.with_resources(train, {"cpu": 1}),
    param_space={"x": tune.uniform(0, 1)},
    tune_config=tune.TuneConfig(
        metric="loss",
        mode="min",
        num_samples=int(sys.argv[1]),
        max_concurrent_trials=2,
        reuse_actors=sys.argv[2] == "reuse",
    ),
    run_config=tune.RunConfig(storage_path=os.getcwd() + "/results", verbose=0),
)
print(len(tuner.fit()))
"""
OPTUNA = """
import os, sys
import optuna
from joblib import Parallel, delayed
from work import work

STORAGE = "sqlite:///study.db"

def objective(trial):
    work(float(os.environ["SECONDS_A_RUN"]))
    return trial.suggest_float("x", 0, 1)

def optimize(trials):
    study = optuna.load_study(study_name="study", storage=STORAGE, sampler=optuna.samplers.RandomSampler())
    study.optimize(objective, n_trials=trials)

if __name__ == "__main__":
    optuna.create_study(study_name="study", storage=STORAGE)
    Parallel(n_jobs=2)(delayed(optimize)(int(sys.argv[1]) // 2) for _ in range(2))
"""
HYDRA = """
import logging, os
import hydra
from work import work

@hydra.main(version_base=None, config_path=".", config_name="config")
def train(config):
    work(float(os.environ["SECONDS_A_RUN"]))
    logging.getLogger(__name__).info("loss %s", config.x)
    return float(config.x)

if __name__ == "__main__":
    train()
"""
