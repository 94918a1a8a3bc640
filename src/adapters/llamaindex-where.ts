// LlamaIndex's filters as conditions of a collection.
import type { MetadataFilter, MetadataFilters } from "@llamaindex/core/vector-store";
import type { Where } from "../collection/where/parse.js";
import { badOption, show } from "../words/errors.js";
import { oneOf } from "../words/options.js";

type Operator = MetadataFilter["operator"];
type Value = NonNullable<MetadataFilter["value"]>;

/** What each asks of a field. Arrays are met by any of their elements, as `any` and `contains` want it. */
const CONDITIONS: Partial<Record<Operator, (key: string, value: Value) => Where>> = {
  "==": (key, value) => ({ [key]: value }),
  "!=": (key, value) => ({ [key]: { $ne: value } }),
  ">": (key, value) => ({ [key]: { $gt: value } }),
  ">=": (key, value) => ({ [key]: { $gte: value } }),
  "<": (key, value) => ({ [key]: { $lt: value } }),
  "<=": (key, value) => ({ [key]: { $lte: value } }),
  in: (key, value) => ({ [key]: { $in: value } }),
  nin: (key, value) => ({ [key]: { $nin: value } }),
  any: (key, value) => ({ [key]: { $in: value } }),
  all: (key, value) => ({ $and: listOf(key, value).map((one) => ({ [key]: one })) }),
  contains: (key, value) => ({ [key]: value }),
  is_empty: (key) => ({ [key]: { $in: [null, "", []] } }),
};

function listOf(key: string, value: Value): readonly (string | number)[] {
  if (Array.isArray(value)) return value;
  throw badOption(`the filter "all" of ${key} has ${show(value)}; it must be an array of values`);
}

/** Errors: BAD_OPTION for text_match, which no column answers. */
export function whereOf({ filters, condition = "and" }: MetadataFilters): Where {
  oneOf("filters.condition", condition, ["and", "or"]);
  const parts = filters.map(({ key, value, operator }) => {
    const made = CONDITIONS[operator];
    if (made) return made(key, value as Value);
    throw badOption(
      `the filter ${show(operator)} of ${key} is none that a collection has; it has ${Object.keys(CONDITIONS).join(", ")}`,
    );
  });
  if (parts.length === 0) return {};
  return condition === "and" ? { $and: parts } : { $or: parts };
}
