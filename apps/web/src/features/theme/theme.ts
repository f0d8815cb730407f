/** The theme choices. `public/theme.js` applies the stored choice before the first paint; it uses the same storage key. */
export const THEMES = ["system", "light", "dark"] as const;

export type Theme = (typeof THEMES)[number];

const STORAGE_KEY = "presence.theme";

/** The theme of the page. */
export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

/** Applies `theme` to this page and stores it, which applies it to the browser's other pages too. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    if (theme === "system") localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, theme);
  } catch {
    // Without access to storage the choice lasts until the page is closed.
  }
}

/** Applies choices made in the browser's other pages until the returned function is called. */
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
