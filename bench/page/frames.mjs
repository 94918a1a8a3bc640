// In a page: how far its frames are apart while many vectors are added, and posts that as { [layout]: [ms, ...] } to /result.
import { Hnsw } from "vicinal";
import { clustered, framesDuring } from "../kit/frames.mjs";

const how = await (await fetch("/how.json")).json();
const result = {};
for (const { name, n, d, options } of how) {
  const vectors = clustered(n, d);
  const index = await Hnsw.create({ dimensions: d, metric: "l2", ...options });
  await new Promise((resolve) => setTimeout(resolve, 500));
  result[name] = await framesDuring(() => index.addAll(vectors));
  if (index.size !== n) throw new Error(`${index.size} of ${n} were added`);
  index.close();
}
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
