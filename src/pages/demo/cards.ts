// What is found, as elements of the page.
import type { DocumentId } from "vicinal/collection";
import { element } from "../element.js";

export interface Found {
  readonly id: DocumentId;
  readonly distance?: number;
  readonly data: { readonly package: string; readonly title: string; readonly text: string };
}

/** What the buttons of a card do. */
export interface Card {
  edit(card: HTMLElement, found: Found): void;
  delete(found: Found): void;
}

const part = <T extends HTMLElement = HTMLElement>(parent: ParentNode, selector: string): T =>
  parent.querySelector(selector) as T;

const copyOf = <T extends HTMLElement>(template: string): T =>
  element(template, HTMLTemplateElement).content.firstElementChild?.cloneNode(true) as T;

export function cardOf(found: Found, actions: Card): HTMLElement {
  const card = copyOf<HTMLLIElement>("hit");
  const { id, distance, data } = found;
  card.dataset.id = String(id);
  part(card, "strong").textContent = data.package;
  part(card, ".title").textContent = data.title;
  part(card, ".text").textContent = data.text;
  const near = part(card, ".near");
  near.hidden = distance === undefined;
  if (distance !== undefined) {
    near.style.setProperty("--near", String(Math.max(0, 1 - distance)));
    near.title = "cosine distance";
    part(near, "output").textContent = distance.toFixed(3);
  }
  part<HTMLButtonElement>(card, ".edit").onclick = () => actions.edit(card, found);
  part<HTMLButtonElement>(card, ".delete").onclick = () => actions.delete(found);
  return card;
}

/** A card in which a text is written. */
export function editorOf(
  text: string,
  { save, cancel }: { save: (text: string) => Promise<void>; cancel: () => void },
): HTMLElement {
  const card = document.createElement("li");
  const form = copyOf<HTMLFormElement>("editor");
  const area = part<HTMLTextAreaElement>(form, "textarea");
  area.value = text;
  form.onsubmit = (event) => {
    event.preventDefault();
    void save(area.value.trim());
  };
  part<HTMLButtonElement>(form, ".cancel").onclick = cancel;
  card.append(form);
  return card;
}
