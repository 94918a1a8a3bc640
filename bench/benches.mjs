// All benches, in the order of bench/README.md.
export const BENCHES = ["micro", "hnsw", "flat", "load", "size"];
