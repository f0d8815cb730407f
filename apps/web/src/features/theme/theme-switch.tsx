import { useEffect, useState } from "react";
import { Icon } from "../../ui/icon.tsx";
import { SegmentedControl } from "../../ui/segmented-control.tsx";
import { chooseTheme, currentTheme, followTheme, THEMES, type Theme } from "./theme.ts";

const LABELS: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };

const CHOICES = THEMES.map((value) => ({
  value,
  title: `${LABELS[value]} theme`,
  label: (
    <>
      <Icon name={value} />
      <span className="visually-hidden">{LABELS[value]}</span>
    </>
  ),
}));

/** Chooses the theme: system, light or dark. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => followTheme(() => setTheme(currentTheme())), []);

  function choose(choice: Theme): void {
    chooseTheme(choice);
    setTheme(choice);
  }

  return <SegmentedControl legend="Theme" choices={CHOICES} value={theme} onChange={choose} size="icon" />;
}
