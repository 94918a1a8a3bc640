// What a document's data may be: JSON that comes back as it was given, in which declared fields hold what they are declared to.
import { show, VicinalError } from "../../words/errors.js";
import { type Fields, misfit } from "../where/fields.js";
import { isDate, isPlain, under } from "../where/json.js";
import { eachLeaf } from "./leaves.js";

const MOST_DEPTH = 64;

/** Errors: BAD_FIELD, with the place in the data and the value there. */
export function checkData(data: unknown, fields: Fields, at = "data"): void {
  if (!isPlain(data)) throw wrong(at, show(data), "it must be an object");
  checkJson(data, at, 0);
  for (const [path, kind] of Object.entries(fields)) {
    eachLeaf(data, path.split("."), (value) => {
      const why = misfit(kind, value);
      if (why) throw new VicinalError("BAD_FIELD", `${at}.${path} is ${why}`);
    });
  }
}

function wrong(at: string, value: string, why: string): VicinalError {
  return new VicinalError("BAD_FIELD", `${at} is ${value}; ${why}`);
}

/** Dates become strings and undefined members go, as JSON has it; whatever else JSON would change is refused. Circles end by depth. */
function checkJson(value: unknown, at: string, depth: number): void {
  if (depth > MOST_DEPTH) throw wrong(`${at.slice(0, 80)}...`, "too deep", `data may be nested ${MOST_DEPTH} deep`);
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkJson(value[i], `${at}[${i}]`, depth + 1);
  } else if (isPlain(value) && typeof value.toJSON !== "function") {
    for (const name of Object.keys(value)) if (value[name] !== undefined) checkJson(value[name], under(at, name), depth + 1);
  } else if (!isDate(value) || Number.isNaN(value.getTime()))
    throw wrong(at, show(value), "it must be a value of JSON or a Date");
}
