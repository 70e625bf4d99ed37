// Which runs are selected, as the server is asked about them: a bit for each run, the oldest first.

/** The word for the address; null where all runs are meant. `runs` are some of the model's. */
export function bits(model, runs = model.selected) {
  if (runs.length >= model.runs.length) return null;
  const order = [...model.runs].sort((a, b) => a.created_at - b.created_at);
  const places = new Map(order.map((run, i) => [run.id, i]));
  const bytes = new Uint8Array(Math.ceil(order.length / 8));
  for (const run of runs) {
    const place = places.get(run.id);
    bytes[place >> 3] |= 128 >> (place & 7);
  }
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
