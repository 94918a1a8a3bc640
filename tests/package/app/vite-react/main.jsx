// npm install vicinal react react-dom && npm install --save-dev vite @vitejs/plugin-react && npx vite
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Hnsw } from "vicinal";
import { embed } from "../readme/embed.js"; // your model

const notes = [
  "Passwords are reset under Settings, Account",
  "Invoices are sent on the first of the month",
  "The office is closed between the years",
];

const ready = Hnsw.create({ dimensions: 384, metric: "cosine" }).then(async (index) => {
  index.add(await embed(notes));
  return index;
});

async function search(query) {
  const [index, [vector]] = await Promise.all([ready, embed([query])]);
  return index.search(vector, { k: 2 });
}

function SearchBox() {
  const [query, setQuery] = useState("");
  const [hits, setHits] = useState([]);

  useEffect(() => {
    let current = true; // an answer that comes late is not shown
    search(query).then((found) => current && setHits(found));
    return () => void (current = false);
  }, [query]);

  return (
    <>
      <input aria-label="Search" value={query} onChange={({ target }) => setQuery(target.value)} />
      <ol>
        {hits.map(({ id }) => (
          <li key={id}>{notes[id]}</li>
        ))}
      </ol>
    </>
  );
}

createRoot(document.getElementById("root")).render(<SearchBox />);
