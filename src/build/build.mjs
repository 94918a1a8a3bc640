// npm run build: assembly/ and src/ become dist/.
//   wasm/*.wasm          four variants, each with every family and codec, as core, graph and whole (asconfig.json); checked.wasm, for tests alone,
//                        has everything and asserts
//   index.js node.js     ESM; each build's bytes a chunk of its own behind a dynamic import
//   core.cjs             CommonJS: what index.cjs and the layers share, the builds as wasm/*.cjs
//   index.cjs node.cjs
//   static.js static.cjs everything in one file
//   collection.js storage.js storage-node.js tabs.js worker.js pool.js range.js guide.js interop.js, .cjs  documents, the places where they live, several tabs on them
//   nats.js nats-cluster.js nats-replica.js, .cjs  shards and replicas on a server of NATS, whose packages are imported from beside
//   hybrid.js langchain.js llamaindex.js transformers.js, .cjs  words and meaning together; stores of frameworks, which are imported from beside
//   cli.js               the command line with its libraries
//   types/               declarations for both
//   THIRD-PARTY.txt      the licences of what is bundled
// Where dist/ is what these sources have made before, nothing is done.
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";
import { hashOf, keep, prune, recall } from "./cache.mjs";
import { writeLicences } from "./licences.mjs";
import { checkExports, checkTwins } from "./twins.mjs";
import { writeTypes } from "./types.mjs";
import { writeWasm } from "./wasm.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));

const inputs = ["assembly", "src", "asconfig.json", "package.json", "package-lock.json", "tsconfig.json"];
const stamp = `${hashOf(inputs)}.dist`;

/** On a terminal one line that changes, elsewhere a line a third. */
function progress(done, all) {
  const line = `building: ${done} of ${all} wasm variants`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}${done === all ? "\n" : ""}`);
  else if (done % Math.ceil(all / 3) === 0 || done === all) process.stderr.write(`${line}\n`);
}

if (recall(stamp)?.toString() !== hashOf(["dist"])) {
  checkTwins();
  rmSync("dist", { recursive: true, force: true });
  const types = writeTypes();
  types.catch(() => {}); // thrown below
  const builds = await writeWasm("dist/wasm", progress);
  checkExports("dist/wasm");
  writeLicences(await bundle(builds));
  await types;
  keep(stamp, hashOf(["dist"]));
  prune();
}
