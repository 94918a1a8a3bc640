// What packages are asked beside plain searches: in a process of each (worker.mjs), and for the true answers (suite/peers.mjs).

const GROUPS = 10;
/** A filter lets one group of ten pass. */
export const GROUP = 3;
export const groupOf = (id) => id % GROUPS;

/**
 * An update: one id in twenty gets the vector of the next of these, the last that of the first: [id, whose vector]. So the vectors
 * are the same as before, and an answer that has not been updated is a wrong one.
 */
export function replacements(n) {
  const ids = Array.from({ length: Math.ceil(n / 20) }, (_, i) => i * 20);
  return ids.map((id, i) => [id, ids[(i + 1) % ids.length]]);
}
