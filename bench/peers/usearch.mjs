// USearch on one thread. It takes the effort of its searches when it is made or loaded: another effort is another index, loaded
// from the file of the first.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import { Index, MetricKind, ScalarKind } from "usearch";

const METRICS = { cosine: MetricKind.Cos, l2: MetricKind.L2sq, dot: MetricKind.IP };

const dir = mkdtempSync(`${os.tmpdir()}/vicinal-usearch-`);
process.on("exit", () => rmSync(dir, { recursive: true }));
const file = `${dir}/index`;

export const row = (values) => values;

export function open({ dimensions, metric, m, efConstruction }) {
  const config = { dimensions, metric: METRICS[metric], quantization: ScalarKind.F32, connectivity: m, multi: false };
  const make = (ef) => new Index({ ...config, expansion_add: efConstruction, expansion_search: ef });
  let index = make(64);
  let effort = 64;
  let saved = false;
  return {
    memory: "RSS",
    add(rows) {
      for (const [id, values] of rows.entries()) index.add(BigInt(id), values, 1);
    },
    effort(ef) {
      if (ef === effort) return;
      if (!saved) index.save(file);
      saved = true;
      index = make((effort = ef));
      index.load(file);
    },
    search: (query, k) => index.search(query, k, 1),
    update(ids, rows) {
      for (const [i, id] of ids.entries()) {
        index.remove(BigInt(id));
        index.add(BigInt(id), rows[i], 1);
      }
      saved = false;
    },
    ids: ({ keys }) => Array.from(keys, Number),
    close() {},
  };
}
