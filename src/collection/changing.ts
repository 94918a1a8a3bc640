// Changes as callers ask for them, checked as a whole before anything is written.
import type { Vector } from "../input/vectors.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { checkSignal, heed, known } from "../words/options.js";
import { type Change, PATCH, PUT, REMOVE } from "./batch.js";
import { eachSlot } from "./columns/bits.js";
import type { Committer } from "./committer.js";
import type { Conditions } from "./conditions.js";
import type { Documents, Made } from "./documents.js";
import { embedded, type Progress } from "./embedding.js";
import { checkDocumentId, type DocumentId, keyOf } from "./keys.js";
import type { Embed } from "./options.js";
import { patched } from "./patched.js";
import type { Spot } from "./places.js";
import type { Data, Reading } from "./reading.js";
import { bytesOfRow } from "./rows.js";
import type { Vectors } from "./vectors.js";

/** A document as it is given: with a vector, or with a text that `embed` makes one of. */
export interface DocumentInput {
  id: DocumentId;
  vector?: Vector;
  /** Only to make the vector of: what is to come back belongs in `data`. */
  text?: string;
  /** JSON. A Date is kept as its ISO string; members that are undefined are left out. Default {}. */
  data?: object;
}

/** Fields of a document that change. */
export interface DocumentPatch {
  id: DocumentId;
  data: object;
}

export interface UpsertOptions {
  signal?: AbortSignal;
  /** Called as texts get their vectors. */
  onProgress?: (progress: Progress) => void;
}

const DOCUMENT_NAMES = ["id", "vector", "text", "data"];

/** Ids, none twice. */
function checkIds(ids: readonly unknown[], name: (i: number) => string): DocumentId[] {
  const checked = ids.map((id, i) => checkDocumentId(id, name(i)));
  const seen = new Set<DocumentId>();
  checked.forEach((id, i) => {
    if (seen.has(id)) throw new VicinalError("DUPLICATE_ID", `${name(i)} is ${show(id)}, which is in this call before`);
    seen.add(id);
  });
  return checked;
}

export class Changing {
  constructor(
    readonly documents: Documents,
    readonly committer: Committer,
    readonly reading: Reading,
    readonly vectors: Vectors,
    readonly conditions: Conditions,
    readonly embed: Embed | undefined,
    /** Called when changes have been made. */
    readonly changed: () => void,
  ) {}

  async upsert(documents: readonly DocumentInput[], options: UpsertOptions): Promise<void> {
    known("upsert", options, ["signal", "onProgress"]);
    checkSignal(options.signal);
    heed(options.signal);
    const { columns, shape } = this.documents;
    const ids = checkIds(
      documents.map((one, i) => {
        known(`documents[${i}]`, one, DOCUMENT_NAMES);
        return one.id;
      }),
      (i) => `documents[${i}].id`,
    );
    const texts = documents.map(({ data = {} }, i) => {
      columns.check(data, `documents[${i}].data`);
      return JSON.stringify(data);
    });
    const toEmbed: string[] = [];
    documents.forEach(({ vector, text }, i) => {
      if (vector !== undefined && text !== undefined)
        throw badOption(`documents[${i}] has a vector and a text to make one of: give one of them`);
      if (vector !== undefined) return;
      if (typeof text !== "string") throw badOption(`documents[${i}] has neither a vector nor a text to make one of`);
      toEmbed.push(text);
    });
    // Where nothing is to be waited for, all is copied before this returns: the caller may use its arrays again.
    const made = toEmbed.length > 0 ? await embedded(this.embed, toEmbed, shape, options) : [];
    let next = 0;
    const rows = this.vectors.rows(documents.map(({ vector }) => vector ?? made[next++]));
    const changes = ids.map((id, i): Change => ({ what: PUT, id, text: texts[i], vector: bytesOfRow(rows, i, shape) }));
    if (changes.length > 0) await this.#commit(undefined, () => changes);
  }

  /** Returns how many of the documents were there. */
  async update(patches: readonly DocumentPatch[]): Promise<number> {
    const { columns } = this.documents;
    const ids = checkIds(
      patches.map((one, i) => {
        known(`documents[${i}]`, one, ["id", "data"]);
        return one.id;
      }),
      (i) => `documents[${i}].id`,
    );
    const copies = patches.map(({ data }, i) => {
      if (data === null || typeof data !== "object" || Array.isArray(data)) {
        throw badOption(`documents[${i}].data is ${show(data)}; it must be an object of the fields that change`);
      }
      columns.check(data, `documents[${i}].data`);
      return JSON.parse(JSON.stringify(data)) as Data;
    });
    let count = 0;
    await this.#commit(ids, async () => {
      const changes: Change[] = [];
      for (const [i, id] of ids.entries()) {
        const slot = this.documents.ids.find(keyOf(id));
        if (slot < 0) continue;
        const [old] = await this.reading.texts([slot]);
        const data = patched(JSON.parse(old), copies[i]) as Data;
        columns.check(data, `documents[${i}].data`);
        const vector = this.vectors.keeps ? await this.vectors.bytes(slot) : undefined;
        changes.push({ what: PATCH, id, text: JSON.stringify(data), vector });
      }
      count = changes.length;
      return changes;
    });
    return count;
  }

  /** Returns how many of the documents were there. */
  async delete(what: DocumentId | readonly DocumentId[] | { readonly where: object }): Promise<number> {
    let count = 0;
    const counted = (changes: Change[]): Change[] => {
      count = changes.length;
      return changes;
    };
    if (what !== null && typeof what === "object" && !Array.isArray(what)) {
      known("delete", what, ["where"]);
      const { where } = what as { where: object };
      if (where === undefined)
        throw badOption("delete takes ids, or { where } with conditions; to remove all documents give { where: {} }");
      const { ids } = this.documents;
      const { conditions } = this;
      const condition = conditions.parse(where);
      await this.#commit("all", async () => {
        while (conditions.lack([condition])) await conditions.make([condition]);
        const changes: Change[] = [];
        eachSlot(conditions.match(condition).words, (slot) => void changes.push({ what: REMOVE, id: ids.idAt(slot) }));
        return counted(changes);
      });
      return count;
    }
    const list = Array.isArray(what) ? what : [what];
    const ids = new Set(list.map((id, i) => checkDocumentId(id, Array.isArray(what) ? `ids[${i}]` : "id")));
    await this.#commit([...ids], () => {
      const there = [...ids].filter((id) => this.documents.ids.find(keyOf(id)) >= 0);
      return counted(there.map((id): Change => ({ what: REMOVE, id })));
    });
    return count;
  }

  async #commit(
    reads: "all" | readonly DocumentId[] | undefined,
    changes: () => readonly Change[] | Promise<readonly Change[]>,
  ): Promise<void> {
    await this.committer.commit({ reads, changes, apply: (made, spots) => this.documents.apply(madeOf(made, spots)) });
    this.changed();
  }
}

function* madeOf(changes: readonly Change[], spots: readonly Spot[]): Generator<Made, void, void> {
  for (const [i, { what, id, text = "", vector }] of changes.entries())
    yield { what, key: keyOf(id), text, vector, spot: spots[i] };
}
