// npx wrangler dev, npx wrangler deploy
import { Hnsw, init } from "vicinal";
import wasm from "vicinal/wasm/simd.wasm"; // Cloudflare compiles it: a worker may not compile bytes itself
import { embed } from "../readme/embed.js"; // your model, as env.AI

const notes = [
  "Passwords are reset under Settings, Account",
  "Invoices are sent on the first of the month",
  "The office is closed between the years",
];

await init({ module: wasm });
const index = await Hnsw.create({ dimensions: 384, metric: "cosine" });
index.add(await embed(notes));

export default {
  async fetch(request) {
    const query = new URL(request.url).searchParams.get("q");
    if (!query) return Response.json({ error: "q is missing" }, { status: 400 });
    const [vector] = await embed([query]);
    const hits = index.search(vector, { k: 2 });
    return Response.json(hits.map(({ id, distance }) => ({ note: notes[id], distance })));
  },
};
