// The columns that the server sends, turned into runs: an object for each, in which every band finds all that it draws.

const FATES = {
  pending: "waiting",
  preempted: "waiting",
  running: "running",
  preempting: "running",
  finished: "finished",
  killed: "stopped",
};

/** What has become of a run, as it is drawn: stopped is by early termination or a person, failed also crashed. */
export function fateOf(state) {
  return FATES[state] ?? "failed";
}

/** Turn an answer of `/sweeps/ID/runs` into runs; `number` is given by `numbered`. */
export function runsOf(answer) {
  const { runs: columns, params, base } = answer;
  const names = Object.keys(params);
  const absent = new Map(names.filter((name) => params[name].absent.length).map((name) => [name, new Set(params[name].absent)]));
  return columns.id.map((id, i) => {
    const given = {};
    for (const name of names) if (!absent.get(name)?.has(i)) given[name] = params[name].values[i];
    return run(id, i, columns, given, base);
  });
}

function run(id, i, columns, params, base) {
  const at = (seconds) => (seconds === null ? null : base + seconds);
  const end = columns.ended[i] ?? columns.heard[i];
  const started = columns.started[i];
  return {
    id,
    number: 0,
    name: columns.name[i],
    state: columns.state[i],
    fate: fateOf(columns.state[i]),
    leads: Boolean(columns.leads[i]),
    prior: Boolean(columns.prior[i]),
    params,
    value: columns.value[i],
    last: columns.last[i],
    low: columns.low[i],
    high: columns.high[i],
    iterations: columns.iterations[i],
    values: columns.values[i] ?? [],
    created_at: at(columns.created[i]),
    started_at: at(started),
    ended_at: at(columns.ended[i]),
    heard_at: at(columns.heard[i] ?? columns.ended[i]),
    duration_s: started === null ? null : Math.max(0, end - started),
    reason: columns.reason[i],
    host: columns.host[i],
    slot: columns.slot?.[i] ?? "",
    retries: columns.retries[i],
  };
}

/** Bring runs up to date with some that have changed: known ones keep their places, new ones come behind. */
export function merged(known, changed) {
  const places = new Map(known.map((one, i) => [one.id, i]));
  const found = [...known];
  for (const one of changed) {
    if (places.has(one.id)) found[places.get(one.id)] = one;
    else found.push(one);
  }
  return numbered(found);
}

/** Number the sweep's own runs, from 1, as the command line does; attached ones have none. */
export function numbered(runs) {
  let number = 0;
  for (const one of runs) {
    number += one.prior ? 0 : 1;
    one.number = one.prior ? 0 : number;
  }
  return runs;
}

/** Whether one value of a metric is better than another, which may be null. */
export function better(goal, value, than) {
  if (value === null) return false;
  return than === null || (goal === "maximize" ? value > than : value < than);
}

/** The best run of some; null before the first value. The earliest of equals. */
export function bestOf(runs, goal) {
  let best = null;
  for (const one of runs) if (one.leads && better(goal, one.value, best?.value ?? null)) best = one;
  return best;
}
