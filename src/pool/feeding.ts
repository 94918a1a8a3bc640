// The feeds of a pool's workers, by number.
import { Feed } from "./feed.js";
import type { Fill } from "./hands.js";
import type { Asked, Piece } from "./words.js";

export class Feeding {
  readonly #feeds = new Map<number, Feed>();
  #numbers = 0;

  async piece(feed: number, number: number, taker: object): Promise<Piece | undefined> {
    return this.#feeds.get(feed)?.piece(number, taker);
  }

  /** One that takes has died. */
  leave(taker: object): void {
    for (const feed of this.#feeds.values()) feed.leave(taker);
  }

  /** Has all takers take what `fill` gives; `ask` asks them to. What the source throws counts before what they do. */
  async run(takers: Iterable<object>, hasIds: boolean, fill: Fill, ask: (asked: Asked) => Promise<unknown>): Promise<void> {
    const feed = new Feed(takers);
    const number = this.#numbers++;
    this.#feeds.set(number, feed);
    let failed: { readonly error: unknown } | undefined;
    const filling = fill(feed).then(
      () => feed.end(),
      (error) => {
        failed = { error };
        feed.fail(error);
      },
    );
    try {
      await ask({ call: "addAll", feed: number, ids: hasIds });
    } catch (error) {
      feed.stop(error);
      await filling;
      throw failed ? failed.error : error;
    } finally {
      this.#feeds.delete(number);
    }
    await filling;
    if (failed) throw failed.error;
  }
}
