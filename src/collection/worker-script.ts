// The worker of `worker: true`, which the build makes a text of (own-worker.ts).
import { askFor } from "../border/builds-asked.js";
import { init } from "../border/runtime.js";
import { listen, ownPort, type Wire } from "../border/wire.js";
import type { Vectors } from "../input/vectors.js";
import { indexedDb } from "../storage/indexed-db.js";
import { opfs } from "../storage/opfs.js";
import { AskedStorage } from "./asked-storage.js";
import { Collection } from "./collection.js";
import type { Embed } from "./options.js";
import type { Start, Wanted } from "./start.js";
import { serveOn } from "./worker.js";

const port = ownPort();

const MAKERS = { opfs, indexedDb };

async function open(wire: Wire, { options, storage, embeds, variant }: Start): Promise<Collection> {
  const ask = (wanted: Wanted, signal?: AbortSignal): Promise<unknown> => wire.ask(wanted, { signal });
  askFor((build, variant) => ask({ call: "wasm", build, variant }) as Promise<string>);
  if (variant) await init({ variant });
  const embed: Embed = (texts, { signal }) => ask({ call: "embed", texts }, signal) as Promise<Vectors>;
  return Collection.open({
    ...options,
    storage:
      "elsewhere" in storage ? MAKERS[storage.elsewhere.kind](storage.elsewhere.name) : new AskedStorage(storage.place, wire),
    ...(embeds && { embed }),
  });
}

const start = new Promise<Start>((resolve) => {
  listen(port, (message) => {
    if ((message as Start | null)?.kind === "start") resolve(message as Start);
  });
});
serveOn(port, async (wire) => open(wire, await start));
