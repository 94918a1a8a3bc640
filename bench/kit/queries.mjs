// Single queries one after another: what they find, how fast, how late the latest.
import { queriesOf, recall } from "./data.mjs";

export const K = 10;

/** The answers to all queries, as ids. */
export function answers(index, queries, options) {
  return queries.map((query) => index.search(query, { k: K, ...options }).map(({ id }) => id));
}

/** Seconds that the first `count` queries of a round take, one after another and then from the first again. */
export function searchSeconds(index, queries, options, count) {
  const whole = { k: K, ...options };
  const start = performance.now();
  for (let i = 0; i < count; i++) index.search(queries[i % queries.length], whole);
  return (performance.now() - start) / 1000;
}

/** { recall, qps, p99 in microseconds } over `leastSeconds`, and over all queries at least once; the caller has warmed up. */
export function latencies(index, set, options, leastSeconds) {
  const queries = queriesOf(set);
  const whole = { k: K, ...options };
  const found = [];
  const spent = [];
  const start = performance.now();
  for (let from = start; found.length < queries.length || from - start < 1000 * leastSeconds; ) {
    found.push(index.search(queries[found.length % queries.length], whole));
    const now = performance.now();
    spent.push(now - from);
    from = now;
  }
  const ids = found.slice(0, queries.length).map((hits) => hits.map(({ id }) => id));
  return {
    recall: recall(ids, set.truth),
    qps: (1000 * spent.length) / spent.reduce((sum, ms) => sum + ms),
    p99: 1000 * spent.sort((a, b) => a - b)[Math.floor(0.99 * spent.length)],
  };
}

/**
 * The least of `efforts` at which `index` reaches the recall wanted, as search options with the recall there; where none
 * does, the least that comes within a hundredth of the best. Leaves the index warm.
 */
export function leastEffort(index, set, name, efforts, wanted) {
  const queries = queriesOf(set);
  const tried = [];
  for (const effort of efforts) {
    const options = { [name]: effort };
    tried.push({ options, recall: recall(answers(index, queries, options), set.truth) });
    if (tried.at(-1).recall >= wanted) return tried.at(-1);
  }
  const best = Math.max(...tried.map((one) => one.recall));
  return tried.find((one) => one.recall >= best - 0.01);
}
