"""What a sweeper server adds to W&B's, through the unmodified SDK: warm starts, names of runs, and how it is known."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]


@pytest.fixture
def sdk(user, tmp_path):
    """The variables that point the SDK at a server of this test's own."""
    return {**user.serve(), "WANDB_DIR": str(tmp_path)}


def script(user, sdk, code: str) -> dict:
    """Run a script that prints one JSON document last."""
    return json.loads(user.python(code, **sdk).stdout.splitlines()[-1])


GRID = """
import json, wandb

def train():
    with wandb.init() as run:
        for _ in range(2):
            run.log({"loss": run.config.lr})

def sweep(*values, **more):
    definition = {"method": "grid", "metric": {"name": "loss", "goal": "minimize"},
                  "parameters": {"lr": {"values": list(values)}}}
    made = wandb.sweep(definition, project="p", **more)
    wandb.agent(made, function=train, project="p")
    return made

first = sweep(0.1, 0.2)
with wandb.init(project="p", config={"lr": 0.3}, id="alone") as run:
    run.log({"loss": 0.3})
earlier = [run.id for run in wandb.Api().runs("p")]
"""


def test_a_second_sweep_starts_from_the_runs_of_the_first(user, sdk):
    """A grid runs what no prior run did; those stay in their own sweep, are listed, and count nowhere."""
    read = script(
        user,
        sdk,
        GRID
        + """
second = sweep(0.1, 0.2, 0.3, 0.4, prior_runs=earlier)
api = wandb.Api()
found = api.sweep(f"p/{second}")
print(json.dumps({
    "sweep": second,
    "state": found.state,
    "own": [run.config["lr"] for run in found.runs if run.sweep_name == second],
    "prior": sorted(run.config["lr"] for run in found.runs if run.sweep_name != second),
    "first": sorted(run.config["lr"] for run in api.sweep(f"p/{first}").runs),
    "alone": api.run("p/alone").sweep_name,
}))
""",
    )
    assert read["state"] == "FINISHED"
    assert read["own"] == [0.4]
    assert read["prior"] == [0.1, 0.2, 0.3]
    assert read["first"] == [0.1, 0.2]
    assert read["alone"] is None
    status = json.loads(user.run("status", "--json", f"local/p/{read['sweep']}").stdout)
    assert (status["prior"], status["prior_best"]) == (3, 0.1)
    assert (status["counts"], status["best"]["best"], len(status["runs"])) == ({"finished": 1}, 0.4, 1)
    assert "prior   3 runs, best loss 0.1" in user.run("status", f"local/p/{read['sweep']}").stdout


def test_an_unknown_prior_run_is_refused_in_words(user, sdk):
    """The SDK and `backend.sdk` show which run is not there and what to give, and no sweep is made."""
    said, ours = script(
        user,
        sdk,
        """
        import json, wandb
        from sweeper.backend import sdk
        from sweeper.definition import SweepDefinition
        from sweeper.errors import BackendError
        definition = {"method": "grid", "parameters": {"lr": {"values": [1]}}}
        try:
            wandb.sweep(definition, project="p", prior_runs=["nope"])
        except wandb.Error as error:
            said = str(error)
        try:
            parsed = SweepDefinition.model_validate(definition)
            sdk.register(parsed, entity=None, project="p", prior_runs=["nope"])
        except BackendError as error:
            ours = error.message
        assert not list(wandb.Api().projects("local"))
        print(json.dumps([said, ours]))
        """,
    )
    for text in (said, ours):
        assert "no run 'nope' in local/p" in text
        assert "Give ids of runs of this project" in text


def test_runs_are_named_by_the_template_or_by_their_user(user, sdk):
    """The file's template names the runs; `wandb.init(name=...)` and `run.name = ...` win over it."""
    names = script(
        user,
        sdk,
        """
        import json, wandb

        calls = []

        def train():
            calls.append(1)
            with wandb.init(**({"name": "by init"} if len(calls) == 2 else {})) as run:
                run.log({"loss": run.config.lr})
                if run.config.lr == 0.03:
                    run.name = "by name"

        made = wandb.sweep({"method": "grid", "parameters": {"lr": {"values": [0.01, 0.02, 0.03]}},
                            "sweeper": {"run_name": "run {number} lr={lr:.0e}"}}, project="p")
        wandb.agent(made, function=train, project="p")
        print(json.dumps([run.name for run in wandb.Api().runs("p", order="+created_at")]))
        """,
    )
    assert names == ["run 1 lr=1e-02", "by init", "by name"]


def test_a_sweeper_server_is_told_from_another(user, sdk):
    """A client learns before it sends a file whether the server honours our key; silence is an error."""
    found = script(
        user,
        sdk,
        f"""
        import http.server, json, threading
        from sweeper.backend import sdk
        from sweeper.errors import BackendError
        from sweeper.settings import Backend

        class Other(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = {{"/a/healthz": b'{{"service": "x"}}', "/b/healthz": b"<>", "/c/healthz": b"[1]"}}.get(self.path)
                self.send_response(200 if body else 404)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Other)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        other = f"http://127.0.0.1:{{server.server_port}}"

        def ask(url):
            try:
                return sdk.speaks_sweeper(Backend(kind="wandb", base_url=url))
            except BackendError as error:
                return error.message

        found = [ask(url) for url in ("{sdk["WANDB_BASE_URL"]}/", other + "/a", other + "/b", other + "/c", other)]
        server.shutdown(); server.server_close()
        print(json.dumps([found, ask(other)]))
        """,
    )
    assert found[0] == [True, False, False, False, False]
    assert "nobody answers at http://127.0.0.1" in found[1]
