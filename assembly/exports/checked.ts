// What the build that tests run exports (asconfig.json): all that the others do.
export * from "./full";
export * from "./graph";
