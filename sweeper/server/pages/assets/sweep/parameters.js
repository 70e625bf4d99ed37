// Which parameters of a sweep say something: those that its file varies, and those in which some runs differ.

/** The names of those that the sweep's file varies, in its order. */
export function varied(sweep) {
  return sweep.parameters.filter((one) => one.varies).map((one) => one.name);
}

/** The same, and then those that only the runs tell of. */
export function variedOrTold(model) {
  const known = new Set(model.sweep.parameters.map((one) => one.name));
  const more = new Set();
  for (const run of model.runs) for (const name of Object.keys(run.params)) if (!known.has(name)) more.add(name);
  return [...varied(model.sweep), ...[...more].filter((name) => differs(model.runs, name))];
}

/** The sweep's parameters in which some runs differ, whatever its file says. */
export function differing(model, runs) {
  return model.sweep.parameters.filter((one) => differs(runs, one.name));
}

function differs(runs, name) {
  const first = JSON.stringify(runs[0]?.params[name]);
  return runs.some((run) => JSON.stringify(run.params[name]) !== first);
}
