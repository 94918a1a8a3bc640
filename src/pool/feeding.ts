// The feeds of a pool's workers, by number.
import { Feed } from "./feed.js";
import type { Fill } from "./hands.js";
import type { Asked, Piece } from "./words.js";

export class Feeding {
  readonly #feeds = new Map<number, Feed>();
  #numbers = 0;

  piece(feed: number, number: number): Promise<Piece | undefined> {
    return this.#feeds.get(feed)?.piece(number) ?? Promise.resolve(undefined);
  }

  /** Has so many workers take what `fill` gives; `ask` asks them all. What the source throws counts before what they do. */
  async run(takers: number, hasIds: boolean, fill: Fill, ask: (asked: Asked) => Promise<unknown>): Promise<void> {
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
      throw failed?.error ?? error;
    } finally {
      this.#feeds.delete(number);
    }
    await filling;
    if (failed) throw failed.error;
  }
}
