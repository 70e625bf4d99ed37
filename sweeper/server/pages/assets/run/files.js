// The files of a run: a tree, and what is in the one that was chosen.

import { context, dataOf, get } from "../api.js";
import { tree } from "../files/tree.js";
import { live } from "../live.js";

/** Show them in a tab. */
export async function mount(element) {
  const read = async () => ({
    ...(await get(dataOf("runs", context.run, "files"))),
    preview: dataOf("runs", context.run, "preview"),
    empty: "No file was uploaded yet. What run.save(\"model.onnx\") is given lies here, and the log once the run has ended.",
  });
  const update = tree(element, await read());
  live.onChange("run", async () => update(await read()));
}
