// deno run --allow-net --allow-sys=hostname --allow-read --allow-write=. service.js: documents in a folder, which stay there.
import { Collection } from "vicinal/collection";
import { folder } from "vicinal/storage/node";
import { embed } from "../readme/embed.js"; // your model

const texts = {
  passwords: "Passwords are reset under Settings, Account",
  invoices: "Invoices are sent on the first of the month",
  office: "The office is closed between the years",
};

const notes = await Collection.open({ storage: folder("./notes"), dimensions: 384, embed });
if (notes.size === 0) {
  await notes.upsert(Object.entries(texts).map(([id, text]) => ({ id, text, data: { note: text } })));
}

async function answer(request) {
  const query = new URL(request.url).searchParams.get("q");
  if (!query) return Response.json({ error: "q is missing" }, { status: 400 });
  const hits = await notes.search(query, { k: 2 });
  return Response.json(hits.map(({ data, distance }) => ({ note: data.note, distance })));
}

const onListen = ({ port }) => console.log(`http://127.0.0.1:${port}/?q=passwords`);
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, answer);

Deno.addSignalListener("SIGTERM", async () => {
  await server.shutdown();
  await notes.close();
  Deno.exit();
});
