// What addAll promises, over every family x codec: what add gives, from any source, in slices between which others may call.
import type { VectorIndex, VicinalError } from "vicinal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkExact, expectSameBytes } from "../support/answers.js";
import { EVERY_CASE } from "../support/cases.js";
import { D, given, N } from "../support/contract.js";
import { flatten, packed } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";
import { thorough } from "../support/thorough.js";

/** Of the forms of a source, those that take ways of their own. */
const FEW = ["Float32Array", "generator", "async chunks", "packed chunks"];

for (const of of EVERY_CASE) {
  describe(of.name, () => {
    /** What add made of the same vectors. */
    let index: VectorIndex;
    const { rows, queries, all, open, ask, expectSame, filled } = given(of, () => index);
    beforeAll(async () => {
      index = await filled();
    });
    afterAll(() => index.close());

    describe("addAll", () => {
      function* each<T>(items: Iterable<T>): Generator<T> {
        yield* items;
      }
      async function* eachLater<T>(items: Iterable<T>): AsyncGenerator<T> {
        for (const item of items) {
          await null;
          yield item;
        }
      }
      /** Chunks of 1, 2, 3 ... rows. */
      function chunks<T extends Float32Array | Uint8Array>(width: number, values: T): T[] {
        const out: T[] = [];
        for (let from = 0, n = 1; from < values.length; from += n++ * width) {
          out.push(values.subarray(from, from + n * width) as T);
        }
        return out;
      }
      const bytes = Uint8Array.from(rows.flatMap((row) => [...packed(row)]));
      const sources: Record<string, () => Parameters<VectorIndex["addAll"]>[0]> = {
        array: () => rows,
        "number[][]": () => rows.map((row) => [...row]),
        Float32Array: () => flatten(rows),
        Set: () => new Set(rows),
        generator: () => each(rows),
        "async generator": () => eachLater(rows),
        "chunks of several": () => each(chunks(D, flatten(rows))),
        "async chunks": () => eachLater(chunks(D, flatten(rows))),
        ...(of.metric === "hamming" && {
          "packed Uint8Array": () => bytes,
          "packed rows": () => each(rows.map(packed)),
          "packed chunks": () => each(chunks(3, bytes)),
        }),
      };

      it.each(thorough(FEW, Object.keys(sources)).filter((form) => form in sources))(
        "from %s gives what add gives",
        async (form) => {
          const other = await open();
          await other.addAll(sources[form]());
          expect(other.size).toBe(N);
          expectSame(other, index);
        },
      );

      it("takes ids from any iterable, one per vector", async () => {
        const ids = rows.map((_, i) => (i * 7) % 1009);
        const plain = await open();
        plain.add(rows, ids);
        for (const given of thorough([each(ids)], [ids, new Set(ids), each(ids), Uint32Array.from(ids)])) {
          const other = await open();
          await other.addAll(each(rows), { ids: given });
          expectSame(other, plain);
        }
      });

      it("says where ids are too few or too many, and keeps the slices before", async () => {
        for (const [ids, saying] of [
          [[1, 2, 3], "3"],
          [Array.from({ length: N + 1 }, (_, i) => i), `${N}`],
        ] as const) {
          const other = await open();
          await expectError(() => other.addAll(rows, { ids }), "BAD_ID", saying);
          expect(other.size).toBeLessThanOrEqual(ids.length);
          expect(other.search(queries[0], { k: N }).length).toBe(other.size);
        }
      });

      it("reports progress to the end", async () => {
        for (const [source, total] of [
          [rows, N],
          [each(rows), undefined],
        ] as const) {
          const seen: { done: number; total: number | undefined }[] = [];
          const other = await open();
          await other.addAll(source, { onProgress: (progress) => seen.push(progress) });
          expect(seen.at(-1)).toEqual({ done: N, total });
          expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
        }
      });

      it("stops before it begins where the signal is aborted", async () => {
        const before = index.toBytes();
        const reason = new Error("enough");
        expect(await thrownBy(() => index.addAll(rows, { signal: AbortSignal.abort(reason) }))).toBe(reason);
        expect((await thrownBy(() => index.addAll(rows, { signal: AbortSignal.abort() }))) as Error).toMatchObject({
          name: "AbortError",
        });
        expectSameBytes(index.toBytes(), before);
      });

      it("stops between slices, closes its source and keeps what is in", async () => {
        const controller = new AbortController();
        let closed = false;
        async function* source(): AsyncGenerator<Float32Array> {
          try {
            for (let i = 0; ; i++) {
              if (i === 100) controller.abort();
              // Long enough that the slice is over.
              if (i === 100) for (const start = performance.now(); performance.now() - start < 9; );
              yield rows[i % N];
            }
          } finally {
            closed = true;
          }
        }
        const other = await open();
        expect(await thrownBy(() => other.addAll(source(), { signal: controller.signal }))).toMatchObject({ name: "AbortError" });
        expect(closed).toBe(true);
        expect(other.size).toBeGreaterThan(0);
        expect(other.size).toBeLessThan(N);
        const among = new Map([...all].slice(0, other.size));
        ask(among, 5, (query, effort) => other.search(query, { k: 5, ...effort }), of.exact, other);
        other.add(rows.slice(other.size));
        expectSame(other, index);
      });

      it("tells of an array that is given away while it is read, and keeps the slices before", async () => {
        const other = await open();
        const values = flatten(rows);
        const added = other.addAll(values);
        structuredClone(values, { transfer: [values.buffer as ArrayBuffer] });
        const error = (await thrownBy(() => added)) as VicinalError;
        expect(error).toMatchObject({ code: "BAD_DIMENSION" });
        expect(error.message).toMatch(/source has changed while it was read: 0 values/);
        other.add(rows.slice(other.size));
        expectSame(other, index);
      });

      it("keeps the slices before an error of the source or of a vector", async () => {
        async function* failing(): AsyncGenerator<number[]> {
          for (const row of rows.slice(0, 50)) yield [...row];
          throw new RangeError("mine");
        }
        const other = await open();
        expect(await thrownBy(() => other.addAll(failing()))).toEqual(new RangeError("mine"));
        expect(other.size).toBeLessThanOrEqual(50);
        await expectError(() => other.addAll([...rows.slice(0, 60), rows[0].slice(1)]), "BAD_DIMENSION", `${D - 1}`);
        await expectError(() => other.addAll(each([...rows.slice(0, 60), [...rows[0]].fill(NaN)])), "NOT_FINITE", "NaN");
        expect(other.search(queries[0], { k: N, exact: true }).length).toBe(other.size);
      });

      it("lets searches run in between", async () => {
        const other = await open();
        let asked = 0;
        async function* source(): AsyncGenerator<Float32Array> {
          for (const [i, row] of rows.entries()) {
            if (i % 40 === 39) {
              asked++;
              checkExact(other.search(row, { k: 5, exact: true }), new Map([...all].slice(0, other.size)), row, 5, of, other);
              expect(other.search(row, { k: 5 }).length).toBe(Math.min(5, other.size));
            }
            yield row;
          }
        }
        await other.addAll(source());
        expect(asked).toBe(7);
        expectSame(other, index);
      });
    });
  });
}
