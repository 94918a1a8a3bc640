// A worker of a pool, which the build makes a text of.
import { askFor } from "../border/builds-asked.js";
import { ownPort, Wire } from "../border/wire.js";
import type { Told } from "../storage/told.js";
import { reads } from "./hands.js";
import { ReadLock, WriteLock } from "./lock.js";
import { Owner } from "./owner.js";
import { Reader } from "./reader.js";
import type { Asked, News, Piece, Wanted } from "./words.js";

let owner: Owner | undefined;
let reader: Reader | undefined;

const wire = new Wire(ownPort(), { answer: (body, { signal, told }) => answer(body as Asked, signal, told) });
const ask = (wanted: Wanted, signal?: AbortSignal): Promise<unknown> => wire.ask(wanted, { signal });
askFor((build, variant) => ask({ call: "wasm", build, variant }) as Promise<string>);

async function answer(asked: Asked, signal: AbortSignal, told: Told | undefined): Promise<unknown> {
  switch (asked.call) {
    case "own":
      owner = await Owner.open(asked.origin, asked.lock && new WriteLock(asked.lock), asked.readers, (news: News) =>
        wire.tell(news),
      );
      return undefined;
    case "join":
      reader = await Reader.join(asked.shared, asked.reader, new ReadLock(asked.lock, asked.reader), reader);
      return undefined;
    case "find":
      return (owner ?? (reader as Reader)).find(asked.searches);
    case "bytes":
      return (reader as Reader).toBytes();
    case "do":
      // What changes nothing needs no lock afterwards.
      if (reads(asked.verb)) return owner?.do(asked.verb, asked.args, signal, told);
  }
  try {
    return await change(owner as Owner, asked, signal, told);
  } finally {
    owner?.settle();
  }
}

async function change(own: Owner, asked: Asked, signal: AbortSignal, told: Told | undefined): Promise<unknown> {
  switch (asked.call) {
    case "do":
      return own.do(asked.verb, asked.args, signal, told);
    case "addAll": {
      const { feed } = asked;
      const next = (number: number) => ask({ call: "piece", feed, number }, signal) as Promise<Piece | undefined>;
      return own.addAll(next, asked.ids, signal, told);
    }
    case "prepare":
      return own.prepare(asked.filter, asked.source);
    case "forget":
      return own.forget(asked.filter);
    case "widen":
      return own.widen(asked.reader, asked.bytes);
  }
}
