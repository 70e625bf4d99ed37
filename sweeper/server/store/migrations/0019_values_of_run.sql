-- Values of a deleted run are looked for by the run alone. Going from sweep to sweep for them, as migration 0016 had it, took
-- 4 ms a run on a server with 4,000 sweeps; a run's values lie side by side in these, so a row more of them costs little.
CREATE INDEX metric_values_of_run ON metric_values (run_id);
CREATE INDEX nonfinite_values_of_run ON nonfinite_values (run_id);
