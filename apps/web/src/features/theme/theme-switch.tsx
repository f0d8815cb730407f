import { useEffect, useId, useState } from "react";
import { Icon } from "../../ui/icon.tsx";
import { chooseTheme, currentTheme, followTheme, THEMES, type Theme } from "./theme.ts";
import "./theme-switch.css";

const LABELS: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };

/** System, light or dark. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(currentTheme);
  const group = useId();
  useEffect(() => followTheme(() => setTheme(currentTheme())), []);

  return (
    <fieldset className="theme-switch">
      <legend className="visually-hidden">Theme</legend>
      {THEMES.map((choice) => (
        <label key={choice} className="theme-switch__choice" title={`${LABELS[choice]} theme`}>
          <input
            className="visually-hidden"
            type="radio"
            name={group}
            checked={theme === choice}
            onChange={() => {
              chooseTheme(choice);
              setTheme(choice);
            }}
          />
          <Icon name={choice} />
          <span className="visually-hidden">{LABELS[choice]}</span>
        </label>
      ))}
    </fieldset>
  );
}
