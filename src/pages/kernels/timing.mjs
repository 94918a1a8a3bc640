// How times are taken: contenders in turn, round after round, and the median of the rounds.

/** Of an even number the lower middle, so that it is always a value that was measured. */
export function median(values) {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];
}

/**
 * Runs every contender once per round and returns all samples by name. Each round begins with the next contender, so
 * that none is always first. A contender gives one sample, of whatever it measures, and gets the round's number.
 */
export async function interleave(rounds, contenders) {
  const names = Object.keys(contenders);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(round + i) % names.length];
      samples[name].push(await contenders[name](round));
    }
  }
  return samples;
}
