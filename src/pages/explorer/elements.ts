// Elements of the page, found and made.

export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${id}`);
  return found;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A table with a heading for each row. */
export function tableOf(caption: string, columns: readonly string[], rows: readonly (readonly string[])[]): HTMLTableElement {
  const head = make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map(([first = "", ...cells]) =>
    make("tr", {}, make("th", { scope: "row" }, first), ...cells.map((cell) => make("td", {}, cell))),
  );
  return make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body));
}

const waiting = new Set<() => void>();

function next(): void {
  const [action] = waiting;
  waiting.delete(action);
  if (waiting.size > 0) requestAnimationFrame(next);
  action();
}

/** Does something once for many askings, before a frame that is near: one thing of the page in each, so that none takes long. */
export function inTurn(action: () => void): () => void {
  return () => {
    if (waiting.size === 0) requestAnimationFrame(next);
    waiting.add(action);
  };
}
