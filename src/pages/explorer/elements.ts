// Elements of the page, and when they are drawn.

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

/** What may be wider than the page: a region that is scrolled by keyboard too. */
export function scrolled(host: HTMLElement, name: string): void {
  host.tabIndex = 0;
  host.role = "region";
  host.ariaLabel = name;
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
