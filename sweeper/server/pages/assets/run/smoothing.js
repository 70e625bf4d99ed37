// Smoothing of a curve, and what of it a logarithmic axis can show.

/**
 * An exponential moving average without the pull towards 0 at its beginning.
 * @param {Array<number|null>} values - From left to right.
 * @param {number} weight - How much of what came before stays: 0 leaves the values as they are, below 1.
 */
export function smoothed(values, weight) {
  if (!weight) return values;
  let sum = 0;
  let share = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + value * (1 - weight);
    share = share * weight + (1 - weight);
    return sum / share;
  });
}

/** Leave a gap where a logarithmic axis has no place. */
export function positive(values) {
  return values.map((value) => (value > 0 ? value : null));
}
