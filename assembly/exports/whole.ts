// What the whole builds export: all that the others do.
export * from "./full";
export * from "./graph";
