// npm run bench:range:page: a published set and the page of bench/page/range.html on localhost, to look at.
import { Flat } from "vicinal";
import { publish } from "vicinal/range";
import { loadSet, queriesOf } from "../kit/data.mjs";
import { serveFiles } from "../kit/static-host.mjs";
import { pageFiles } from "./part/range-page.mjs";

const set = loadSet("minilm-mix-384", { queries: 40, neighbours: 0 });
if (set) {
  const flat = await Flat.create({ dimensions: set.d, metric: set.metric });
  await flat.addAll(set.base);
  const { files } = await publish(flat);
  const index = new Map(Array.from(files, ([name, bytes]) => [`/${name}`, bytes]));
  const host = await serveFiles(new Map(Object.entries(await pageFiles(index, queriesOf(set)))));
  console.log(`Open ${host.url} in a browser; Ctrl-C ends it.`);
}
