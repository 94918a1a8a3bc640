// vicinal/transformers, by a pipeline that answers as that of @huggingface/transformers does: models are downloaded, so none is here.
import { Collection } from "vicinal/collection";
import { memory } from "vicinal/storage";
import { embedder, type Transformers } from "vicinal/transformers";
import { expect, it } from "vitest";
import { expectError } from "../support/errors.js";

const D = 8;

function standIn(answer = (texts: readonly string[]): readonly number[] => [texts.length, D]) {
  const calls: { texts: readonly string[]; options: object }[] = [];
  const loads: unknown[][] = [];
  const transformers: Transformers = {
    pipeline: async (...load) => {
      loads.push(load);
      return async (texts: string[], options: object) => {
        calls.push({ texts, options });
        const data = Float32Array.from(
          texts.flatMap((text) => Array.from({ length: D }, (_, i) => text.charCodeAt(i % text.length) % 17)),
        );
        return { data, dims: answer(texts) };
      };
    },
  };
  return { transformers, calls, loads };
}

it("is the embed of a collection", async () => {
  const { transformers, calls, loads } = standIn();
  const embed = await embedder("Xenova/some-model", { transformers, batch: 2, pipeline: { dtype: "q8" } });
  expect(loads).toEqual([["feature-extraction", "Xenova/some-model", { dtype: "q8" }]]);
  expect(embed.dimensions).toBe(D);
  calls.length = 0;
  const docs = await Collection.open({ storage: memory(), dimensions: embed.dimensions, embed });
  await docs.upsert(["zebra", "apple", "mango"].map((text, id) => ({ id, text })));
  expect(calls.map(({ texts }) => texts)).toEqual([["zebra", "apple"], ["mango"]]);
  expect(calls[0].options).toEqual({ pooling: "mean", normalize: true });
  expect((await docs.search("apple", { k: 1 }))[0].id).toBe(1);
});

it("does what a model's card asks for", async () => {
  const { transformers, calls } = standIn();
  const embed = await embedder("a", { transformers, pooling: "cls", normalize: false, prefix: "query: " });
  await embed(["b"], {});
  expect(calls.at(-1)).toEqual({ texts: ["query: b"], options: { pooling: "cls", normalize: false } });
});

it("can be aborted between batches", async () => {
  const { transformers } = standIn();
  const embed = await embedder("a", { transformers });
  await expect(async () => embed(["b"], { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

it("says what is wrong", async () => {
  const { transformers } = standIn();
  await expectError(() => embedder(""), "BAD_OPTION", /model is ""/);
  await expectError(() => embedder("a", { transformers, pooling: "max" as never }), "BAD_OPTION", /pooling is "max"/);
  await expectError(() => embedder("a", { transformers, dtype: "q8" } as never), "BAD_OPTION", /no option "dtype"/);
  const tokens = standIn((texts) => [texts.length, 3, D]);
  await expectError(() => embedder("a", tokens), "BAD_OPTION", /no option/);
  await expectError(() => embedder("a", { transformers: tokens.transformers }), "BAD_DIMENSION", /\[1, 3, 8\] numbers/);
  await expectError(() => embedder("Xenova/a"), "BAD_RUNTIME", /npm install @huggingface\/transformers/);
});
