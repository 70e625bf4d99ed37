// What a metric is like over two parameters: values of the runs nearby, weighed by how near they are (E. A. Nadaraya and
// G. S. Watson, 1964). Where no run is near, nothing is said.

/** Cells of an axis of numbers. */
export const CELLS = 64;
const LEAST_WEIGHT = 0.35;

/**
 * Estimate the metric in cells.
 * @param {Array<{x: number, y: number, z: number}>} points - Runs: their places, from 0 to 1 or, listed, a whole number.
 * @param {{listed: boolean, count: number}} across - The axis of x.
 * @param {{listed: boolean, count: number}} up - The axis of y.
 * @returns {{columns: number, rows: number, values: Array<number|null>}} Row by row, from the bottom.
 */
export function contourGrid(points, across, up) {
  const columns = across.listed ? across.count : CELLS;
  const rows = up.listed ? up.count : CELLS;
  const width = Math.max(0.04, 0.32 * Math.max(1, points.length) ** (-1 / 6));
  const values = new Array(columns * rows).fill(null);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const x = across.listed ? column : (column + 0.5) / columns;
      const y = up.listed ? row : (row + 0.5) / rows;
      values[row * columns + column] = estimate(points, { x, y, across, up, width });
    }
  }
  return { columns, rows, values };
}

function estimate(points, { x, y, across, up, width }) {
  let weight = 0;
  let sum = 0;
  for (const one of points) {
    const far = distance(one.x, x, across.listed, width) + distance(one.y, y, up.listed, width);
    if (far > 9) continue;
    const near = Math.exp(-far);
    weight += near;
    sum += near * one.z;
  }
  return weight < LEAST_WEIGHT ? null : sum / weight;
}

function distance(one, other, listed, width) {
  if (listed) return one === other ? 0 : Infinity;
  const steps = (one - other) / width;
  return steps * steps;
}

/** Sort an estimate into `count` bands, the worst first; from the best value to where nine tenths of the runs lie. */
export function bands(values, goal, count) {
  const sorted = Float64Array.from(values.filter((one) => one !== null)).sort();
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const [best, worst] = goal === "maximize" ? [at(1), at(0.1)] : [at(0), at(0.9)];
  const span = best - worst || 1;
  const band = (value) => (value === null ? null : Math.max(0, Math.min(count - 1, Math.floor((count * (value - worst)) / span))));
  return { best, worst, band };
}
