// Light or dark: as the system has it, until somebody says otherwise.
import { element } from "../element.js";
import { forgetColours } from "./looks.js";

const KEY = "vicinal-explorer-theme";
const THEMES = ["system", "light", "dark"] as const;

/** A private window may keep nothing. */
function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // it holds until the page is closed
  }
}

export function themes(changed: () => void): void {
  const choice = element("theme", HTMLSelectElement);
  const apply = (): void => {
    document.documentElement.dataset.theme = choice.value;
    forgetColours();
    changed();
  };
  choice.value = THEMES.find((theme) => theme === kept()) ?? "system";
  choice.onchange = () => {
    keep(choice.value);
    apply();
  };
  matchMedia("(prefers-color-scheme: dark)").onchange = apply;
  apply();
}
