// bun service.js: an index in a file, which is made by the first start.
import { Hnsw } from "vicinal";
import { openFile, saveFile } from "vicinal/node";
import { embed } from "../readme/embed.js"; // your model

const notes = [
  "Passwords are reset under Settings, Account",
  "Invoices are sent on the first of the month",
  "The office is closed between the years",
];
const file = "notes.vic";

async function made() {
  const index = await Hnsw.create({ dimensions: 384, metric: "cosine" });
  index.add(await embed(notes));
  await saveFile(index, file);
  return index;
}

const index = (await Bun.file(file).exists()) ? await openFile(file) : await made();

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const query = new URL(request.url).searchParams.get("q");
    if (!query) return Response.json({ error: "q is missing" }, { status: 400 });
    const [vector] = await embed([query]);
    const hits = index.search(vector, { k: 2 });
    return Response.json(hits.map(({ id, distance }) => ({ note: notes[id], distance })));
  },
});
console.log(`${server.url}?q=passwords`);
