// The page of bench:range: opens what was published beside it, searches, and shows what each query cost. What it measured goes to the server.
import { RangeIndex } from "vicinal/range";

const [status, body] = ["[role=status]", "tbody"].map((selector) => document.querySelector(selector));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function show(cells) {
  const row = document.createElement("tr");
  row.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
  body.append(row);
}

async function timed(work) {
  const start = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - start };
}

async function run() {
  const queries = await (await fetch("queries.json")).json();
  const { answer: index, ms: open } = await timed(() => RangeIndex.open("docs/"));
  const { size, dimensions, fetchedBytes } = { ...index.stats(), size: index.size };
  status.textContent = `${size.toLocaleString("en")} vectors of ${dimensions} values, opened by ${Math.round(fetchedBytes / 1000)} KB in ${Math.round(open)} ms.`;
  const first = [];
  const again = [];
  for (const [i, query] of queries.entries()) {
    // Another index each time, which has nothing but the head.
    const fresh = await RangeIndex.open("docs/");
    const { answer: hits, ms } = await timed(() => fresh.search(query, { k: 10 }));
    const { rounds, requests, bytes } = fresh.lastStats;
    first.push({ ms, requests, bytes });
    show([
      `${i + 1}`,
      `${hits[0].id}`,
      hits[0].distance.toFixed(4),
      `${rounds}`,
      `${requests}`,
      `${Math.round(bytes / 1000)}`,
      ms.toFixed(1),
    ]);
    await fresh.search(query, { k: 10 });
    again.push((await timed(() => fresh.search(query, { k: 10 }))).ms);
    fresh.close();
  }
  index.close();
  status.textContent += " Done.";
  return {
    open,
    cold: mean(first.map(({ ms }) => ms)),
    warm: mean(again),
    requests: mean(first.map(({ requests }) => requests)),
    bytes: mean(first.map(({ bytes }) => bytes)),
  };
}

const outcome = await run().catch((error) => ({ error: String(error) }));
if (outcome.error) status.textContent = outcome.error;
await fetch("result", { method: "POST", body: JSON.stringify(outcome) });
