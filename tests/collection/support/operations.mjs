// What a writer that is to be killed does, by number: the same in each process.
const IDS = 120;
const DIMENSIONS = 8;

function randomOf(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** { upsert: documents } | { remove: ids } | { update: [{ id, data }] } | { also: "snapshot" | "compact" | "reindex", upsert } */
export function operation(number) {
  const random = randomOf(number);
  const some = (n) => Math.floor(random() * n);
  const id = () => (random() < 0.5 ? some(IDS) : `d${some(IDS)}`);
  const ids = [...new Set(Array.from({ length: 1 + some(12) }, id))];
  const kind = random();
  if (kind < 0.12) return { remove: ids };
  if (kind < 0.24) return { update: ids.map((id) => ({ id, data: { changed: number } })) };
  const upsert = ids.map((id) => ({
    id,
    vector: Array.from({ length: DIMENSIONS }, () => some(200) - 100),
    data: { number, text: "x".repeat(some(400)) },
  }));
  if (kind < 0.27) return { also: ["snapshot", "compact", "reindex"][some(3)], upsert };
  return { upsert };
}

/** Does it to a collection; `background` hears of what takes longer. */
export async function perform(collection, { upsert, remove, update, also }, background = () => {}) {
  if (also) background(collection[also]());
  if (upsert) await collection.upsert(upsert);
  if (remove) await collection.delete(remove);
  if (update) await collection.update(update);
}

/** Does it to a Map of { vector, data }. */
export function performOn(model, { upsert = [], remove = [], update = [] }) {
  for (const { id, vector, data } of upsert) model.set(id, { vector, data });
  for (const id of remove) model.delete(id);
  for (const { id, data } of update) {
    const old = model.get(id);
    if (old) model.set(id, { ...old, data: { ...old.data, ...data } });
  }
}
