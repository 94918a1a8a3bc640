// npx esbuild service-worker.js --bundle --format=esm --outdir=built; then "Load unpacked" at chrome://extensions
import { Hnsw } from "vicinal/static"; // service workers forbid import(): all in one file
import { embed } from "../readme/embed.js"; // your model

const notes = [
  "Passwords are reset under Settings, Account",
  "Invoices are sent on the first of the month",
  "The office is closed between the years",
];

let index; // Chrome ends a worker that rests, and runs this file again

async function opened() {
  const made = await Hnsw.create({ dimensions: 384, metric: "cosine" });
  made.add(await embed(notes));
  return made;
}

async function search(query) {
  index ??= opened();
  const [vector] = await embed([query]);
  return (await index).search(vector, { k: 2 }).map(({ id }) => notes[id]);
}

chrome.runtime.onMessage.addListener((query, _sender, answer) => {
  search(query).then(answer);
  return true; // the answer comes later
});
