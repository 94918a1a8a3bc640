// A search over ranges. It takes two rounds: the codes of the nearest lists nominate documents, and rows of those alone decide. Their data, where it
// is asked for, is a third; a condition on fields may take more of the first.
import type { DocumentId } from "../collection/keys.js";
import { type Data, selectionOf } from "../collection/reading.js";
import type { Expression } from "../collection/where/expression.js";
import type { Where } from "../collection/where/parse.js";
import { xxh32 } from "../collection/xxh32.js";
import { DEFAULT_K } from "../search/plan.js";
import { part } from "../words/part.js";
import { type Asking, type Block, blockOf, type Fetching, type Work } from "./fetching.js";
import type { PublishedFields } from "./fields.js";
import { type Head, idAt, listAt, PAYLOAD_BYTES, type Places, ROW_AT, readPayload, readRow, viewOf } from "./format.js";
import type { Lists, Scored } from "./lists.js";
import { nextLook } from "./looking.js";
import { chosenOf, REQUESTS } from "./spans.js";
import type { Zones } from "./zones.js";

export interface RangeHit {
  /** As it was in the index or collection. */
  id: DocumentId;
  /** Smaller is nearer; by rows as they were published. */
  distance: number;
  /** What `select` names of its data; missing where there is none, or select is []. */
  data?: Data;
}

/** What a search has cost. */
export interface RangeWork extends Readonly<Work> {
  /** Lists whose codes were looked at, and documents whose rows were. */
  readonly lists: number;
  readonly candidates: number;
}

/** Within a radius so many are looked for first, then four times as many, until the farthest is beyond it. */
const FIRST_WITHIN = 64;

/** A search's options, checked. */
export interface Wish {
  readonly k: number;
  readonly nprobe: number;
  readonly candidates: number | undefined;
  readonly radius: number;
  readonly exact: boolean;
  readonly select: readonly string[] | undefined;
  readonly where: Where | undefined;
}

/** A condition on fields: what it means, and per list 0 where no document meets it. */
interface Condition {
  readonly fields: PublishedFields;
  readonly expression: Expression;
  readonly may: Uint8Array;
}

export class Searching {
  readonly total: Work = { requests: 0, bytes: 0, rounds: 0 };
  last: RangeWork = { requests: 0, bytes: 0, rounds: 0, lists: 0, candidates: 0 };
  /** From the first condition on. */
  #fields: PublishedFields | undefined;
  #zones: Zones | undefined;

  constructor(
    readonly head: Head,
    readonly places: Places,
    readonly lists: Lists,
    readonly fetching: Fetching,
  ) {}

  get bytes(): number {
    return this.lists.bytes + (this.#fields?.bytes ?? 0) + this.fetching.bytes;
  }

  async search(query: Float32Array, wish: Wish, signal: AbortSignal | undefined): Promise<RangeHit[]> {
    const asking: Asking = { work: { requests: 0, bytes: 0, rounds: 0 }, signal };
    const { work } = asking;
    let last = { lists: 0, candidates: 0 };
    try {
      for (let k = wish.radius === Infinity ? wish.k : Math.min(FIRST_WITHIN, wish.k); ; k = Math.min(4 * k, wish.k)) {
        const { lists, nominated } = await this.#nominate(query, { ...wish, candidates: this.#candidatesFor(wish, k) }, asking);
        last = { lists, candidates: nominated.length };
        const scored = await this.#rescore(query, nominated, k, asking);
        const within = scored.filter(({ distance }) => distance <= wish.radius);
        if (within.length < scored.length || scored.length < k || k === wish.k)
          return await this.#told(within, wish.select, asking);
      }
    } finally {
      this.last = { ...work, ...last };
      this.total.requests += work.requests;
      this.total.bytes += work.bytes;
    }
  }

  /** Documents whose rows are read, for k hits. */
  #candidatesFor({ candidates }: Wish, k: number): number {
    const { about } = this.head;
    const usual = Math.max(Math.ceil((about.candidates * k) / DEFAULT_K), about.candidates);
    return Math.min(Math.max(candidates ?? usual, k), about.documents);
  }

  /** The documents whose rows are to be read, by the codes of the nearest lists, or of all. */
  async #nominate(
    query: Float32Array,
    wish: Wish & { readonly candidates: number },
    asking: Asking,
  ): Promise<{ lists: number; nominated: number[] }> {
    const { lists, head, places } = this;
    const condition = wish.where === undefined ? undefined : await this.#conditionOf(wish.where, asking);
    const order = lists.nearest(query).filter((list) => head.lists[list].documents > 0 && condition?.may[list] !== 0);
    const wanted = wish.exact ? head.about.documents : wish.candidates;
    for (let look = 1, n = wish.exact ? order.length : wish.nprobe; ; look++) {
      const chosen = chosenOf(places, head.lists, order, n, wanted).lists;
      await this.#arrive(chosen, condition?.fields, asking);
      const passing = condition && (await this.#passing(condition, chosen));
      const documents = chosen.reduce((sum, list) => sum + head.lists[list].documents, 0);
      const seen = { look, lists: chosen.length, documents, passing: passing?.length ?? documents };
      const next = chosen.length < order.length ? nextLook(seen, wish.nprobe, wanted, wish.k) : undefined;
      if (!passing || next === undefined) {
        return { lists: chosen.length, nominated: this.lists.nominate(query, chosen, wanted, passing) };
      }
      n = next;
    }
  }

  /** Fetches what is not here of the codes of lists, and of their fields where these are asked for. */
  async #arrive(chosen: readonly number[], fields: PublishedFields | undefined, asking: Asking): Promise<void> {
    const { head, places, lists, fetching } = this;
    const inOrder = [...chosen].sort((a, b) => a - b);
    const codes = inOrder
      .filter((list) => !lists.has(list))
      .map((list) => ({ list, ...blockOf(`codes ${list}`, places.codes(list), head.lists[list].codesChecksum) }));
    const texts = (fields ? inOrder : [])
      .filter((list) => !fields?.has(list))
      .map((list) => ({ list, ...blockOf(`fields ${list}`, places.fields(list), head.lists[list].fieldsChecksum) }));
    const arrived: { list: number; bytes: Uint8Array }[] = [];
    const fetched = await Promise.all([
      fetching.blocks(codes, REQUESTS, asking, ({ list }, bytes) => void arrived.push({ list, bytes }), true),
      fetching.blocks(
        texts,
        REQUESTS,
        asking,
        ({ list }, bytes) => fields?.arrive(list, places.first[list], head.lists[list].documents, textOf(bytes)),
        true,
      ),
    ]);
    if (fetched.includes(true)) asking.work.rounds++;
    this.lists.arrive(arrived);
  }

  /** What a condition means, and which lists may have what meets it: the first one fetches what is known of them. */
  async #conditionOf(where: Where, asking: Asking): Promise<Condition> {
    const { PublishedFields, Zones } = await part(import("./where.js"));
    const { head, places, fetching } = this;
    this.#fields ??= new PublishedFields(head.about);
    const fields = this.#fields;
    const expression = fields.parse(where);
    if (!this.#zones) {
      const block = blockOf("zones", places.zones, head.about.zones.checksum);
      const take = (_: Block, bytes: Uint8Array): void => {
        this.#zones = new Zones(textOf(bytes), head.lists.length);
      };
      if (await fetching.blocks([block], 1, asking, take, true)) asking.work.rounds++;
    }
    return { fields, expression, may: await (this.#zones as Zones).may(expression) };
  }

  /** The places of documents in these lists that pass. */
  async #passing({ fields, expression }: Condition, chosen: readonly number[]): Promise<Uint32Array> {
    const { places, head } = this;
    const asked = new Uint8Array(head.lists.length);
    for (const list of chosen) asked[list] = 1;
    const all = await fields.passing(expression);
    return all.filter((place) => asked[listAt(places.first, place)] === 1);
  }

  /** The k nearest of some documents, by their rows, with what else their records hold. */
  async #rescore(
    query: Float32Array,
    nominated: readonly number[],
    k: number,
    asking: Asking,
  ): Promise<(Scored & { record: Uint8Array })[]> {
    const { head, places, fetching } = this;
    if (nominated.length === 0) return [];
    const { about, state } = head;
    const inOrder = [...nominated].sort((a, b) => a - b);
    const blocks = inOrder.map((place) => ({ place, ...recordOf(place, places) }));
    const records = new Map<number, Uint8Array>();
    const fetched = await fetching.blocks(blocks, REQUESTS, asking, ({ place }, bytes) => void records.set(place, bytes));
    if (fetched) asking.work.rounds++;
    const { dimensions } = state;
    const rows = new Float32Array(inOrder.length * dimensions);
    for (const [i, place] of inOrder.entries()) {
      readRow(records.get(place) as Uint8Array, about.rows, dimensions, rows, i * dimensions);
    }
    const scored = this.lists.rescore(query, inOrder, rows, k);
    return scored.map((one) => ({ ...one, record: records.get(one.place) as Uint8Array }));
  }

  /** Hits with their ids, and their data where it is wanted. */
  async #told(
    scored: readonly (Scored & { record: Uint8Array })[],
    select: readonly string[] | undefined,
    asking: Asking,
  ): Promise<RangeHit[]> {
    const { head, places, fetching } = this;
    const { about, state } = head;
    const at = idAt(about, state.dimensions);
    const hits = scored.map(({ record, distance }): RangeHit => ({ id: idIn(record, at), distance }));
    if (!about.payloads || hits.length === 0 || select?.length === 0) return hits;
    const selected = selectionOf(select);
    const blocks = scored.map(({ place, record }, i) => ({ hit: hits[i], ...payloadOf(place, record, at, places.payloads) }));
    blocks.sort((a, b) => a.span.from - b.span.from);
    const fetched = await fetching.blocks(blocks, blocks.length, asking, ({ hit }, bytes) => {
      const data = JSON.parse(textOf(bytes)) as Data;
      hit.data = selected ? selected(data) : data;
    });
    if (fetched) asking.work.rounds++;
    return hits;
  }

  /** What goes on ends with CLOSED, as soon as it needs the lists. */
  close(): void {
    this.lists.close();
  }
}

function recordOf(place: number, places: Places): Block {
  const holds = (bytes: Uint8Array): boolean => xxh32(bytes.subarray(ROW_AT), place) === viewOf(bytes).getUint32(0, true);
  return { name: `record ${place}`, span: places.record(place), holds };
}

/** `end`: where in the record the place of its data ends. `payloads`: where in the data the first begins. */
function payloadOf(place: number, record: Uint8Array, end: number, payloads: number): Block {
  const { from, bytes, checksum } = readPayload(record, end - PAYLOAD_BYTES);
  return blockOf(`data of ${place}`, { from: payloads + from, to: payloads + from + bytes }, checksum);
}

function idIn(record: Uint8Array, at: number): DocumentId {
  let end = record.length;
  while (record[end - 1] === 0) end--;
  return JSON.parse(textOf(record.subarray(at, end))) as DocumentId;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
