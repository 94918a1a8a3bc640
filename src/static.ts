/** All of vicinal in one file, for where import() is forbidden: service workers, and so extensions. The builds are simd alone. */
export * from "./index.js";
