// Filters of runs as people type them, the same as the command line's `--filter`: `val_accuracy>0.9 state=finished
// lr<1e-3`. A word without an operator is looked for in a run's name, id, reason and values.

const NAME = /("([^"]*)"|'([^']*)'|[^\s=<>!~"',]+)/y;
const OPERATOR = /\s*(==|!=|>=|<=|!~|=|>|<|~)\s*/y;
const VALUE = /(?:"([^"]*)"|'([^']*)'|([^\s"'][^\s]*))/y;
const JOIN = /(?:and|&&|,)\s+/iy;
const SPACE = /[\s,]*/y;
const DURATION = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/;
const ALIASES = { run: "id", duration: "duration_s", time: "duration_s", created: "created_at", tries: "attempts" };

const FIELDS = {
  id: (run) => run.id,
  name: (run) => run.name,
  state: (run) => run.state,
  fate: (run) => run.fate,
  number: (run) => run.number,
  best: (run) => run.value,
  last: (run) => run.last,
  duration_s: (run) => run.duration_s,
  host: (run) => run.host || null,
  slot: (run) => run.slot || null,
  attempts: (run) => run.retries + 1,
  iterations: (run) => run.iterations,
  created_at: (run) => run.created_at,
  reason: (run) => run.reason || null,
};
const TIMES = new Set(["created_at"]);

/** Names that may be typed, for a sweep; what runs log comes last. */
export function names(model) {
  const metrics = model.sweep.objectives.map((one) => one.name);
  const parameters = parameterNames(model);
  return [...new Set([...metrics, ...parameters, ...Object.keys(FIELDS), ...model.metrics])];
}

function parameterNames(model) {
  return model.sweep.parameters.map((one) => one.name);
}

/**
 * Read a filter.
 * @param {string} text - What was typed.
 * @param {object} model - The model, for the names.
 * @returns {{conditions: object[], fault: string|null}} No conditions where it cannot be read, and why.
 */
export function read(text, model) {
  try {
    return { conditions: model.sweep ? parse(text).map((one) => resolved(one, model)) : [], fault: null };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { conditions: [], fault: error.message };
  }
}

class FilterError extends Error {}

/** Take a filter apart into conditions, which must all hold. */
export function parse(text) {
  const found = [];
  let place = take(SPACE, text, 0).end;
  while (place < text.length) {
    const join = found.length ? take(JOIN, text, place) : null;
    place = join ? join.end : place;
    const [condition, end] = condition_(text, place);
    found.push(condition);
    place = take(SPACE, text, end).end;
  }
  return found;
}

function take(pattern, text, place) {
  pattern.lastIndex = place;
  const match = pattern.exec(text);
  return match ? { match, end: pattern.lastIndex } : null;
}

function condition_(text, place) {
  const name = take(NAME, text, place);
  if (!name) throw new FilterError(`cannot read ${text.slice(place, place + 20)}: write NAME>VALUE, such as lr<0.01`);
  const called = name.match[2] ?? name.match[3] ?? name.match[0];
  const compared = take(OPERATOR, text, name.end);
  if (!compared) return [{ name: null, operator: "~", wanted: called, quoted: true }, name.end];
  const value = take(VALUE, text, compared.end);
  if (!value) throw new FilterError(`no value behind ${called}${compared.match[1]}`);
  const plain = value.match[3];
  if (plain && /[=<>!~]$/.test(compared.match[1]) && /^[=<>~]/.test(plain)) throw new FilterError(`${compared.match[1]}${plain[0]} is no operator: there are = != < <= > >= ~ !~`);
  const wanted = value.match[1] ?? value.match[2] ?? (plain.replace(/,+$/, "") || plain);
  const operator = compared.match[1] === "==" ? "=" : compared.match[1];
  return [{ name: called, operator, wanted, quoted: plain === undefined }, value.end];
}

/** Find what a condition's name means, and refuse what cannot be compared. */
function resolved(condition, model) {
  if (condition.name === null) return { ...condition, get: null };
  const name = ALIASES[condition.name] ?? condition.name;
  const get = getter(name, model);
  if (!get) throw new FilterError(`no run has "${condition.name}"${hint(name, model)}`);
  const isTime = TIMES.has(name);
  const isOrder = "<>".includes(condition.operator[0]);
  if (isOrder && isTime && Number.isNaN(Date.parse(condition.wanted))) throw new FilterError(`${condition.wanted} is no time: write 2026-01-31 or 2026-01-31T12:00`);
  if (isOrder && !isTime && number(condition.wanted, condition.quoted, name) === null) throw new FilterError(`${condition.wanted} is no number; for text there are = != ~ !~`);
  return { ...condition, name, get, isTime };
}

function getter(name, model) {
  const place = model.sweep.objectives.findIndex((one) => one.name === name);
  if (place >= 0) return (run) => (model.sweep.several ? (run.values[place] ?? null) : run.value);
  const parameters = parameterNames(model);
  const parameter = parameters.includes(name) ? name : lastPart(name, parameters);
  if (parameter) return (run) => run.params[parameter] ?? null;
  if (Object.hasOwn(FIELDS, name)) return FIELDS[name];
  if (!model.metrics.includes(name)) return null;
  const column = model.columnAtHand(name, "last");
  model.keepFresh(name, "last");
  return column ? (run) => column.get(run.id) ?? null : () => null;
}

function lastPart(name, parameters) {
  const found = parameters.filter((one) => one.split(".").at(-1) === name);
  return found.length === 1 ? found[0] : null;
}

function hint(name, model) {
  const known = names(model);
  const near = known.find((one) => one.toLowerCase().includes(name.toLowerCase()) || name.toLowerCase().includes(one.toLowerCase()));
  return near ? `: did you mean ${near}?` : `: there are ${known.slice(0, 8).join(", ")}${known.length > 8 ? ", …" : ""}`;
}

/** Whether a condition, as `read` gives it, holds for a run. */
export function passes(condition, run) {
  const { operator, wanted } = condition;
  if (condition.get === null) return anywhere(run, wanted.toLowerCase());
  const value = condition.get(run);
  if (operator.endsWith("~")) {
    const has = value !== null && value !== undefined && asText(value, condition).toLowerCase().includes(wanted.toLowerCase());
    return has === (operator === "~");
  }
  if (operator === "=" || operator === "!=") return equals(value, condition) === (operator === "=");
  return ordered(value, condition);
}

function anywhere(run, word) {
  const texts = [run.id, run.name, run.state, run.reason, run.host, ...Object.values(run.params).map((one) => (typeof one === "string" ? one : JSON.stringify(one)))];
  return texts.some((text) => text && text.toLowerCase().includes(word));
}

function asText(value, condition) {
  if (condition.isTime) return new Date(value * 1000).toISOString().replace("T", " ").slice(0, 19);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function equals(value, condition) {
  if (!condition.quoted && ["none", "null", "-"].includes(condition.wanted.toLowerCase())) return value === null || value === undefined;
  if (value === null || value === undefined) return false;
  if (condition.isTime) return asText(value, condition).startsWith(condition.wanted.replace("T", " "));
  if (typeof value === "boolean") return String(value) === condition.wanted.toLowerCase();
  if (typeof value !== "number") return asText(value, condition) === condition.wanted || asText(value, condition).replaceAll(",", ", ") === condition.wanted;
  const wanted = number(condition.wanted, condition.quoted, "");
  // a page has eight digits of a number
  return wanted !== null && Math.abs(value - wanted) <= 1e-7 * Math.abs(wanted);
}

function ordered(value, condition) {
  if (typeof value !== "number") return false;
  const wanted = condition.isTime ? Date.parse(condition.wanted) / 1000 : number(condition.wanted, condition.quoted, condition.name);
  return { "<": value < wanted, "<=": value <= wanted, ">": value > wanted, ">=": value >= wanted }[condition.operator];
}

/** Read a number; of a duration also `90s`, `10m`, `1h30m`. Null for anything else. */
function number(text, quoted, name) {
  if (quoted) return null;
  if (text.trim() !== "" && !Number.isNaN(Number(text))) return Number(text);
  const parts = name.startsWith("duration") ? DURATION.exec(text) : null;
  if (!parts || !text) return null;
  return 3600 * (parts[1] ?? 0) + 60 * (parts[2] ?? 0) + Number(parts[3] ?? 0);
}
