/** Light, dark or as the system has it. `public/theme.js` applies the choice before the first paint, by the same key. */
export const THEMES = ["system", "light", "dark"] as const;

export type Theme = (typeof THEMES)[number];

const STORAGE_KEY = "presence.theme";

/** The theme that is applied to the page at this moment. */
export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

/** Applies `theme` to this page, and by storage to the browser's other pages and to the future. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    if (theme === "system") localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, theme);
  } catch {
    // Storage may be forbidden: then the choice lasts as long as the page.
  }
}

/** Follows choices made in the browser's other pages, until the returned function is called. */
export function followTheme(onChange: () => void): () => void {
  function follow(event: StorageEvent): void {
    if (event.key !== STORAGE_KEY) return;
    applyTheme(event.newValue === "light" || event.newValue === "dark" ? event.newValue : "system");
    onChange();
  }
  window.addEventListener("storage", follow);
  return () => window.removeEventListener("storage", follow);
}

function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
