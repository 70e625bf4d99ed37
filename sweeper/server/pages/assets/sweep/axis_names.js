// What an axis shows of a run, by the axis' name as it stands in the address: `p.lr` a parameter, `m.last.val/loss` a
// logged key's last, least or greatest value, and a few words for what every run has.

const FIXED = {
  value: (run) => run.value,
  duration_s: (run) => run.duration_s,
  iterations: (run) => run.iterations,
  number: (run) => run.number,
  created_at: (run) => run.created_at,
};

/** Names of what every run has, and how they read. */
export const FIXED_TITLES = { duration_s: "duration", iterations: "logged values", number: "run number", created_at: "created" };

/** Give the function from a run to its value on an axis; null where a column is not read yet, or no such axis is. */
export function axisValues(axis, model) {
  if (axis.startsWith("p.")) {
    const name = axis.slice(2);
    return (run) => run.params[name];
  }
  if (axis.startsWith("m.")) {
    const { which, key } = metricOf(axis);
    const column = model.columnAtHand(key, which);
    model.keepFresh(key, which);
    return column ? (run) => column.get(run.id) ?? null : null;
  }
  return Object.hasOwn(FIXED, axis) ? FIXED[axis] : null;
}

/** Take an axis of a metric apart. */
export function metricOf(axis) {
  const [, which, ...key] = axis.split(".");
  return { which, key: key.join(".") };
}

/** What an axis is called. */
export function axisTitle(axis, model) {
  if (axis.startsWith("p.")) return axis.slice(2);
  if (axis.startsWith("m.")) {
    const { which, key } = metricOf(axis);
    return `${key} (${which})`;
  }
  if (axis === "value") return model.metric ? `${model.metric.name}${model.sweep.several ? "" : " (best)"}` : "value";
  return FIXED_TITLES[axis] ?? axis;
}
