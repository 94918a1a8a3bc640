// Every row of src/words/knobs.ts: refused at the door where it is none, kept where it is one, and read back from the index and its file.
import { inspect, type Metric, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import { KINDS } from "../../src/words/kinds.js";
import { KNOBS, type Knob } from "../../src/words/knobs.js";
import { create, FAMILIES } from "../support/cases.js";
import { expectError } from "../support/errors.js";

const D = 8;

const ROWS = Object.entries(KNOBS).flatMap(([kind, knobs]) =>
  Object.entries<Knob>(knobs).map(([name, knob]) => ({ kind: kind as keyof typeof KNOBS, name, knob })),
);

/** What no index says afterwards. */
const OF_CREATE_ALONE = ["threads", "expected"];

function made(kind: keyof typeof KNOBS, name: string, { metric = "l2" }: Knob, value: unknown): Promise<VectorIndex> {
  return create(kind, { dimensions: D, metric, [name]: value });
}

/** Values that are none, and how their sentences end. */
function wrong({ range, real, choices, usual }: Knob): [value: unknown, must: string][] {
  if (choices) return ["", "none", 0, true].map((value) => [value, `must be one of ${choices.join(", ")}`]);
  if (!range) return ["yes", 1, 0].map((value) => [value, "must be true or false"]);
  const [least, most] = range;
  const values = [0, -1, NaN, "5", true, [5], ...(real ? [least / 2, most * 2] : [least - 1, least + 0.5, most + 1])];
  if (usual !== Infinity) values.push(Infinity);
  return values.map((value) => [value, `must be ${real ? "a number" : "an integer"} from ${least} to ${most}`]);
}

function right({ range, choices }: Knob): unknown[] {
  return choices ? [...choices] : range ? [...range] : [true];
}

describe.each(ROWS)("$name of $kind", ({ kind, name, knob }) => {
  it("is refused where it is none", async () => {
    for (const [value, must] of wrong(knob)) {
      await expectError(() => made(kind, name, knob, value), "BAD_OPTION", `${name} is `);
      await expectError(() => made(kind, name, knob, value), "BAD_OPTION", must);
    }
  });

  if (knob.metric) {
    it("is refused under any other metric", async () => {
      for (const metric of [undefined, ...KINDS[kind].metrics.filter((one) => one !== knob.metric)]) {
        const options = { dimensions: D, ...(metric && { metric: metric as Metric }), [name]: right(knob)[0] };
        const saying = `${name} is for metric "${knob.metric}", not "${metric ?? "cosine"}"`;
        await expectError(() => create(kind, options), "BAD_OPTION", saying);
      }
    });
  }

  if (!OF_CREATE_ALONE.includes(name)) {
    it("is read back from the index and its file", async () => {
      for (const value of right(knob)) {
        const index = await made(kind, name, knob, value);
        const said = value === 0xffffffff ? Infinity : knob.real ? Math.fround(value as number) : value;
        expect(index.stats().options[name]).toBe(said);
        expect((await inspect(index.toBytes())).options[name]).toBe(said);
        index.close();
      }
    });
  }

  it("may be left out", async () => {
    const index = await FAMILIES[kind].create({ dimensions: D, metric: knob.metric ?? "l2" });
    const { usual = knob.range && "auto" } = knob;
    expect(index.stats().options[name]).toBe(OF_CREATE_ALONE.includes(name) ? undefined : usual);
    index.close();
  });
});

it("an unknown option is refused with the names of all", async () => {
  for (const kind of Object.keys(KNOBS) as (keyof typeof KNOBS)[]) {
    const saying = `${KINDS[kind].family}.create has no option "other"; it has dimensions, metric, codec, rerank, seed, maxBytes, trainAt`;
    await expectError(
      () => create(kind, { dimensions: D, other: 1 } as object as { dimensions: number }),
      "BAD_OPTION",
      [saying, ...Object.keys(KNOBS[kind])].join(", "),
    );
  }
});
