// From places in the data to checked blocks: those that are kept, and the rest by few ranges.
import { xxh32 } from "../collection/xxh32.js";
import { concatenated } from "../input/concatenated.js";
import { either } from "../input/either.js";
import { unlessAborted } from "../input/unless-aborted.js";
import { VicinalError } from "../words/errors.js";
import { heed } from "../words/options.js";
import { type About, partsOf, type Span } from "./format.js";
import type { Host } from "./host.js";
import type { Recent, Stored } from "./kept.js";
import { joined } from "./spans.js";

/** One piece of the data that has a checksum. */
export interface Block {
  /** No other's. */
  readonly name: string;
  readonly span: Span;
  /** Whether these bytes are it. */
  readonly holds: (bytes: Uint8Array) => boolean;
}

/** What a search has cost so far. */
export interface Work {
  requests: number;
  bytes: number;
  rounds: number;
}

export function blockOf(name: string, span: Span, checksum: number): Block {
  return { name, span, holds: (bytes) => xxh32(bytes) === checksum };
}

/** What is the same for all reads of one search. */
export interface Asking {
  readonly work: Work;
  readonly signal: AbortSignal | undefined;
}

export class Fetching {
  readonly #host: Host;
  readonly #about: About;
  readonly #recent: Recent;
  /** Where blocks of lists are kept for the next visit. */
  readonly #stored: Stored | undefined;

  constructor(host: Host, about: About, recent: Recent, stored: Stored | undefined) {
    this.#host = host;
    this.#about = about;
    this.#recent = recent;
    this.#stored = stored;
  }

  /** Of blocks that are kept in memory. */
  get bytes(): number {
    return this.#recent.bytes;
  }

  /**
   * Blocks, in order of their spans and apart, by at most `most` requests, which count as one round. `visit` is called for each; `lasting`:
   * they are stored, not kept in memory, as their reader has taken what they hold.
   */
  async blocks<B extends Block>(
    blocks: readonly B[],
    most: number,
    asking: Asking,
    visit: (block: B, bytes: Uint8Array) => void,
    lasting = false,
  ): Promise<boolean> {
    const missing: B[] = [];
    const stored = this.#stored;
    const kept = await Promise.all(blocks.map((block) => (lasting ? stored?.get(block.name) : this.#recent.get(block.name))));
    for (const [i, block] of blocks.entries()) {
      const bytes = kept[i];
      if (bytes && bytes.length === block.span.to - block.span.from && block.holds(bytes)) visit(block, bytes);
      else if (block.span.to > block.span.from) missing.push(block);
      else visit(block, new Uint8Array());
    }
    if (missing.length === 0) return false;
    const spans = joined(
      missing.map(({ span }) => span),
      most,
    );
    const pieces = await this.#read(spans, asking);
    let at = 0;
    for (const block of missing) {
      while (block.span.from >= spans[at].to) at++;
      const from = block.span.from - spans[at].from;
      const bytes = pieces[at].subarray(from, from + block.span.to - block.span.from);
      if (!block.holds(bytes)) throw this.#damaged(block);
      const own = bytes.slice();
      if (!lasting) this.#recent.put(block.name, own);
      else void stored?.put(block.name, own);
      visit(block, own);
    }
    return true;
  }

  /** All of them, or none where one fails. */
  async #read(spans: readonly Span[], { work, signal }: Asking): Promise<Uint8Array[]> {
    heed(signal);
    const together = new AbortController();
    const both = either(together.signal, signal);
    try {
      return await unlessAborted(both.signal, Promise.all(spans.map((span) => this.#span(span, work, both.signal))));
    } catch (error) {
      together.abort(error);
      throw error;
    } finally {
      both.end();
    }
  }

  /** One range, by a request for each file that has some of it. */
  async #span(span: Span, work: Work, signal: AbortSignal): Promise<Uint8Array> {
    const parts = partsOf(this.#about, span);
    work.requests += parts.length;
    const pieces = await Promise.all(parts.map((part) => this.#host.read(part, signal)));
    work.bytes += span.to - span.from;
    return pieces.length === 1 ? pieces[0] : concatenated(pieces);
  }

  #damaged({ name, span }: Block): VicinalError {
    const [part] = partsOf(this.#about, span);
    const changed = this.#host.changeOf(part.name);
    if (changed) return changed;
    return new VicinalError(
      "BAD_FILE",
      `${this.#host.folder}${part.name}: the checksum of ${name} at ${part.span.from} does not match: the file was damaged or not copied whole, or something on the way changes or compresses it (no Content-Encoding for .bin files)`,
    );
  }
}
