// All benches, in the order of bench/README.md.
export const BENCHES = ["micro", "hnsw", "flat", "families", "gates", "reference", "load", "size"];

/** What `npm run bench` measures of them where it is not told which sets: all sets are more than its time allows. */
export const SHORT_SETS = { reference: ["siftsmall-128", "minilm-mix-384"] };
