// Which part of a long timeline is looked at: so many attempts that each can be told from the next, the latest at first.

const LEAST_PIXELS = 10;
const BINS = 120;

/**
 * The time in which attempts can be told apart; null where all of them can.
 * @param {object[]} bars - As `laid` gives them, by their start.
 * @param {number} rows - How many rows they are laid into.
 * @param {number} width - Pixels from the left to the right.
 * @returns {{from: number, to: number, count: number}|null} `count` of them are in it.
 */
export function latest(bars, rows, width) {
  const most = Math.max(1, Math.floor((rows * width) / LEAST_PIXELS));
  if (bars.length <= most) return null;
  return { from: bars[bars.length - most].start, to: Infinity, count: most };
}

/** How many attempts, by what became of them, ended in each of equal pieces of the time up to `end`. */
export function binned(bars, end, fates) {
  const first = bars[0].start;
  const step = (end - first) / BINS || 1;
  const counts = new Map(fates.map((fate) => [fate, new Array(BINS).fill(0)]));
  for (const one of bars) counts.get(one.fate)[Math.min(BINS - 1, Math.floor((one.end - first) / step))] += 1;
  return { at: Array.from({ length: BINS }, (_, i) => i), counts };
}
