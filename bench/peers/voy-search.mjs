// Voy: a k-d tree of 768 coordinates, shorter vectors filled up with zeros, that searches exactly by l2; vectors of length 1 are
// then in the order of the cosine. It is written for bundlers, which turn its `import "x.wasm"` into what stands here.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { outputFiles } = await build({
  stdin: { contents: `export * from "voy-search/voy_search_bg.js";`, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
  bundle: true,
  format: "esm",
  write: false,
});
const glue = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
const wasm = readFileSync(new URL("node_modules/voy-search/voy_search_bg.wasm", import.meta.url));
const { instance } = await WebAssembly.instantiate(wasm, { "./voy_search_bg.js": glue });
glue.__wbg_set_wasm(instance.exports);

export const row = (values) => values;

export function open() {
  const index = new glue.Voy();
  const resource = (ids, rows) => ({
    embeddings: ids.map((id, i) => ({ id: String(id), title: "", url: "", embeddings: Array.from(rows[i]) })),
  });
  let stored;
  return {
    memory: "wasm",
    add(rows) {
      stored = rows;
      index.index(resource([...rows.keys()], rows));
    },
    search: (query, k) => index.search(query, k),
    update(ids, rows) {
      const old = ids.map((id) => stored[id]);
      index.remove(resource(ids, old));
      index.add(resource(ids, rows));
    },
    ids: ({ neighbors }) => neighbors.map(({ id }) => Number(id)),
    bytes: () => instance.exports.memory.buffer.byteLength,
    close: () => index.free(),
  };
}
