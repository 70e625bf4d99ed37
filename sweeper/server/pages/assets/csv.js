// Tables as CSV, for a spreadsheet: text that it would compute is marked as text, as `sweeper export` does.

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|-Infinity)$/;
const QUOTED = /[",\r\n]/;

/** Write rows, each a list of values: numbers with all their digits, lists and objects as JSON, nothing for null. */
export function csv(rows) {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? noFormula(value) : typeof value === "number" ? String(value) : JSON.stringify(value);
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function noFormula(text) {
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}

/** Let the browser keep a text as a file. */
export function download(name, text, type = "text/csv") {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
