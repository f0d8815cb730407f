// Runs before the first paint, so that the page doesn't flash in another theme.
try {
  const chosen = localStorage.getItem("presence.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Without access to storage the system's theme applies.
}
