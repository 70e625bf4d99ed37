// Attempts at runs, laid into rows: a row for each slot; where nobody said which slot it was, as few as hold them.

const FATES = { running: "running", preempting: "running", finished: "finished", killed: "stopped", preempted: "waiting", pending: "waiting" };

/** Turn the server's columns into attempts, times in seconds since 1970. */
export function attemptsOf(answer) {
  const { attempts: columns, names, base } = answer;
  return columns.run.map((run, i) => ({
    run,
    number: columns.number[i],
    slot: names[columns.slot[i]],
    host: names[columns.host[i]],
    start: base + columns.started[i],
    end: columns.ended[i] === null ? null : base + columns.ended[i],
    fate: FATES[columns.state[i]] ?? "failed",
    state: columns.state[i],
    reason: columns.reason[i],
  }));
}

/**
 * Give each attempt its row.
 * @param {object[]} attempts - As `attemptsOf` gives them.
 * @param {number} now - Seconds since 1970: where those end that go on.
 * @returns {{rows: string[], laid: object[]}} The rows' names from the top, and the attempts with `row` and `end`.
 */
export function laid(attempts, now) {
  const ordered = attempts.map((one) => ({ ...one, end: Math.max(one.start, one.end ?? now), open: one.end === null })).sort((a, b) => a.start - b.start);
  const free = new Map();
  for (const one of ordered) {
    if (one.slot) {
      one.lane = one.slot;
      continue;
    }
    const ends = free.get(one.host) ?? [];
    const place = ends.findIndex((end) => end <= one.start + 0.5);
    const row = place < 0 ? ends.length : place;
    ends[row] = one.end;
    free.set(one.host, ends);
    one.lane = `${one.host || "somewhere"} · ${row + 1}`;
  }
  const rows = [...new Set(ordered.map((one) => one.lane))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const places = new Map(rows.map((name, i) => [name, i]));
  for (const one of ordered) one.row = places.get(one.lane);
  return { rows, laid: ordered };
}

/** How long runs waited: before they began, and between their attempts. */
export function waits(attempts, createdAt) {
  const found = [];
  const lastEnd = new Map();
  for (const one of attempts) {
    const from = lastEnd.get(one.run) ?? createdAt(one.run);
    if (from !== null && from !== undefined && one.start - from > 0.05) found.push({ run: one.run, row: one.row, start: from, end: one.start, retry: lastEnd.has(one.run) });
    lastEnd.set(one.run, one.end);
  }
  return found;
}

/** Which share of the time the rows were at work, from the first start to the last end. */
export function busy(attempts, rows) {
  if (!attempts.length) return null;
  const first = Math.min(...bounds(attempts, "start", Math.min));
  const last = Math.max(...bounds(attempts, "end", Math.max));
  const worked = attempts.reduce((sum, one) => sum + one.end - one.start, 0);
  return { first, last, share: Math.min(1, worked / (rows.length * (last - first) || 1)), worked };
}

function bounds(attempts, field, pick) {
  return [attempts.reduce((found, one) => pick(found, one[field]), attempts[0][field])];
}
