// Tabs by the pattern of the ARIA authoring practices: one is in the order of the Tab key, arrows go to the others.

/** `shown` hears which panel is shown, by its id. */
export function tabs(list: HTMLElement, shown: (panel: string) => void): (panel: string) => void {
  const all = [...list.querySelectorAll<HTMLElement>("[role=tab]")];
  const panelOf = (tab: HTMLElement): string => tab.getAttribute("aria-controls") as string;
  const select = (tab: HTMLElement, focus: boolean): void => {
    for (const one of all) {
      const selected = one === tab;
      one.setAttribute("aria-selected", String(selected));
      one.tabIndex = selected ? 0 : -1;
      (document.getElementById(panelOf(one)) as HTMLElement).hidden = !selected;
    }
    if (focus) tab.focus();
    shown(panelOf(tab));
  };
  for (const tab of all) tab.onclick = () => select(tab, false);
  list.onkeydown = (event) => {
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    select(all.at(to % all.length) as HTMLElement, true);
  };
  return (panel) => {
    const tab = all.find((one) => panelOf(one) === panel);
    if (tab) select(tab, false);
  };
}
