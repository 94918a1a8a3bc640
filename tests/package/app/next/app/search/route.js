// GET /search?q=... in an app of Next.js; nothing to set in next.config.js.
import { Hnsw } from "vicinal";
import { embed } from "../../../readme/embed.js"; // your model

const notes = [
  "Passwords are reset under Settings, Account",
  "Invoices are sent on the first of the month",
  "The office is closed between the years",
];

let index; // made by the first request; `next build` runs this file too

async function opened() {
  const made = await Hnsw.create({ dimensions: 384, metric: "cosine" });
  made.add(await embed(notes));
  return made;
}

export async function GET(request) {
  const query = request.nextUrl.searchParams.get("q");
  if (!query) return Response.json({ error: "q is missing" }, { status: 400 });
  index ??= opened();
  const [vector] = await embed([query]);
  const hits = (await index).search(vector, { k: 2 });
  return Response.json(hits.map(({ id, distance }) => ({ note: notes[id], distance })));
}
