"""What a machine needs to run sweeps: probes ask, checks judge."""
