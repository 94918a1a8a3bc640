// The page: what is typed is searched for, what is found can be edited and deleted, and all tabs see it.
import type { DocumentHit, DocumentId, Where } from "vicinal/collection";
import { element } from "../element.js";
import { type Card, cardOf, editorOf, type Found } from "./cards.js";
import { pageEmbedder } from "./embedding.js";
import { fill, type Notes, openNotes, restart } from "./notes.js";
import { type Passage, textOf } from "./passage.js";

const SHOWN = 20;
/** Changes come in crowds while the passages are written. */
const REFRESH_MS = 150;
const MY_NOTES = "my notes";

const query = element("query", HTMLInputElement);
const filter = element("package", HTMLSelectElement);
const list = element("hits", HTMLOListElement);
const figures = element("figures", HTMLElement);
const filling = element("filling", HTMLProgressElement);

const embedder = await pageEmbedder().catch(failed);
const notes = await openNotes(embedder).catch(failed);
const { docs } = notes;

function failed(error: unknown): never {
  figures.textContent = `This page cannot run here: ${(error as Error).message}`;
  throw error;
}

// ---- looking ------------------------------------------------------------------------------------------------------

/** Of several searches under way the one that was asked last counts. */
let searches = 0;

async function show(): Promise<void> {
  const search = ++searches;
  const where: Where = filter.value === "" ? {} : { package: filter.value };
  const text = query.value.trim();
  const start = performance.now();
  const [vector] = text === "" ? [] : await embedder.embed([text]);
  const embedded = performance.now();
  const found = vector?.some((value) => value !== 0)
    ? ((await docs.search(vector, { k: SHOWN, where })) as (DocumentHit & Found)[])
    : await first(where);
  const ms = performance.now() - embedded;
  const passing = await docs.count({ where });
  if (search !== searches || editing()) return;
  list.replaceChildren(...found.map((hit) => cardOf(hit, actions)));
  const took = vector ? `: ${ms.toFixed(1)} ms, and ${(embedded - start).toFixed(1)} ms to embed the question` : "";
  const rest = filling.hidden ? "" : ` (${filling.value} of ${filling.max} passages are embedded)`;
  figures.textContent = `${found.length} of ${passing} documents${took}${rest}`;
}

async function first(where: Where): Promise<Found[]> {
  const found: Found[] = [];
  for await (const document of docs.scan({ where })) {
    found.push(document as Found);
    if (found.length === SHOWN) break;
  }
  return found;
}

async function showPackages(): Promise<void> {
  const counts = new Map<string, number>();
  for await (const { data } of docs.scan({ select: ["package"] })) {
    const name = String(data.package);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const chosen = filter.value;
  const names = [...counts.keys()].sort();
  const options = names.map((name) => new Option(`${name} (${counts.get(name)})`, name));
  filter.replaceChildren(new Option("All packages", ""), ...options);
  filter.value = counts.has(chosen) ? chosen : "";
}

function showPlace({ place }: Notes): void {
  const who = docs.leads ? "this tab has it open, in a worker" : "another tab has it open, and answers this one";
  element("place", HTMLElement).textContent = `Kept in ${place}: ${who}. Embedder: ${embedder.description}.`;
}

let waiting = false;

/** Soon, and once for many changes. */
function refresh(): void {
  if (waiting) return;
  waiting = true;
  setTimeout(async () => {
    waiting = false;
    showPlace(notes);
    await showPackages();
    await show();
  }, REFRESH_MS);
}

// ---- changing -----------------------------------------------------------------------------------------------------

const editing = (): boolean => list.querySelector("form") !== null;

async function save(id: DocumentId, data: Found["data"]): Promise<void> {
  await docs.upsert({ id, text: textOf(data), data });
}

const actions: Card = {
  edit(card, { id, data }) {
    const editor = editorOf(data.text, {
      save: async (text) => {
        await save(id, { ...data, text });
        editor.remove();
        refresh();
      },
      cancel: () => {
        editor.replaceWith(card);
      },
    });
    card.replaceWith(editor);
    editor.querySelector("textarea")?.focus();
  },
  async delete({ id }) {
    const old = await docs.get(id);
    await docs.delete(id);
    if (old) offerUndo(`Deleted ${id}.`, () => docs.upsert(old));
    refresh();
  },
};

element("add", HTMLButtonElement).onclick = () => {
  const id = `note ${new Date().toISOString()}`;
  const editor = editorOf("", {
    save: async (text) => {
      await save(id, { package: MY_NOTES, title: "", text });
      editor.remove();
      refresh();
    },
    cancel: () => {
      editor.remove();
      refresh();
    },
  });
  list.prepend(editor);
  editor.querySelector("textarea")?.focus();
};

const UNDO_MS = 10_000;
let undoing: ReturnType<typeof setTimeout> | undefined;

function offerUndo(text: string, undo: () => Promise<void>): void {
  const offer = element("undo", HTMLElement);
  const hide = (): void => {
    offer.hidden = true;
  };
  (offer.querySelector("span") as HTMLElement).textContent = text;
  (offer.querySelector("button") as HTMLButtonElement).onclick = async () => {
    hide();
    await undo();
    refresh();
  };
  offer.hidden = false;
  clearTimeout(undoing);
  undoing = setTimeout(hide, UNDO_MS);
}

// ---- beginning ----------------------------------------------------------------------------------------------------

const passages: Passage[] = await (await fetch("passages.json")).json();
async function fillAll(): Promise<void> {
  await fill(notes, embedder.kind, passages, (done, of) => {
    filling.hidden = done === of;
    filling.max = of;
    filling.value = done;
  });
  refresh();
}

element("restart", HTMLButtonElement).onclick = async () => {
  await restart(notes, embedder.kind);
  await fillAll();
};
element("ask", HTMLFormElement).onsubmit = (event) => event.preventDefault();
query.oninput = () => void show();
filter.onchange = () => void show();
docs.onChange(refresh);
addEventListener("focus", refresh);
refresh();
await fillAll().catch(failed);
query.focus();
document.documentElement.dataset.ready = "true";
