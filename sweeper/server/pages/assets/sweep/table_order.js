// The order of the table's rows: by any column, what has no value last, and equals by their numbers.

// made once: to ask for one with every comparison takes a second for ten thousand names
const words = new Intl.Collator(undefined, { numeric: true });

/**
 * Sort runs by a column.
 * @param {object[]} runs - The runs.
 * @param {object} column - A column, as `columnOf` makes it.
 * @param {boolean} down - Whether the greatest comes first.
 * @param {string} [goal] - Of the sweep's metric, where that is the column: then `down` means the worst first.
 */
export function sorted(runs, column, down, goal = null) {
  const factor = goal ? (goal === "maximize") === down ? 1 : -1 : down ? -1 : 1;
  const keyed = runs.map((run) => ({ run, key: keyOf(column, run) }));
  keyed.sort((a, b) => {
    // a value of a run that may not lead, such as one that failed, is none of the best
    const [left, right] = [a, b].map((one) => (one.key === null ? 2 : goal && !one.run.leads ? 1 : 0));
    if (left !== right) return left - right;
    return factor * compare(a.key, b.key) || a.run.number - b.run.number;
  });
  return keyed.map((one) => one.run);
}

function keyOf(column, run) {
  const value = column.get(run);
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  return typeof value === "object" ? JSON.stringify(value) : value;
}

function compare(a, b) {
  if (a === null || b === null) return 0;
  const kinds = [typeof a, typeof b];
  if (kinds[0] !== kinds[1]) return kinds[0] === "number" ? -1 : kinds[1] === "number" ? 1 : words.compare(String(a), String(b));
  if (kinds[0] === "number") return a - b;
  return words.compare(String(a), String(b));
}
