import "./icon.css";

/** SVG paths on a 20 × 20 grid. */
const PATHS = {
  search: "M9 3.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11M13 13l3.5 3.5",
  close: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  open: "M8 4.5H5.5a1.5 1.5 0 0 0-1.5 1.5v8.5A1.5 1.5 0 0 0 5.5 16H14a1.5 1.5 0 0 0 1.5-1.5V12M11.5 4H16v4.5M16 4l-7 7",
  system: "M3.5 5.5a1 1 0 0 1 1-1h11a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1zM7.5 16.5h5M10 13.5v3",
  light:
    "M10 6.8a3.2 3.2 0 1 1 0 6.4a3.2 3.2 0 0 1 0-6.4M10 2.5v1.2M10 16.3v1.2M17.5 10h-1.2M3.7 10H2.5M15.3 4.7l-.9.9M5.6 14.4l-.9.9M15.3 15.3l-.9-.9M5.6 5.6l-.9-.9",
  dark: "M16.2 11.8A6.6 6.6 0 0 1 8.2 3.8a6.6 6.6 0 1 0 8 8",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  "sign-out": "M8.5 4H5.5A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16h3M12.5 6.5L16 10l-3.5 3.5M16 10H8",
  "sign-in": "M11.5 4h3A1.5 1.5 0 0 1 16 5.5v9a1.5 1.5 0 0 1-1.5 1.5h-3M8 6.5l3.5 3.5L8 13.5M11.5 10H4",
  reload: "M15.5 8A6 6 0 1 0 16 11M16 4.5V8h-3.5",
  cut: "M6 11.5a2.2 2.2 0 1 1 0 4.4a2.2 2.2 0 0 1 0-4.4M14 11.5a2.2 2.2 0 1 1 0 4.4a2.2 2.2 0 0 1 0-4.4M7.2 11.9L13.5 4M12.8 11.9L6.5 4",
  plug: "M7.5 3v3.5M12.5 3v3.5M5.5 6.5h9v3a4.5 4.5 0 0 1-9 0zM10 14v3",
  arrow: "M4.5 10h11M11 5.5l4.5 4.5l-4.5 4.5",
  people:
    "M7.5 4.5a2.75 2.75 0 1 1 0 5.5a2.75 2.75 0 0 1 0-5.5M2.5 16a5 5 0 0 1 10 0M13 4.8a2.6 2.6 0 0 1 0 5M14.5 12a4.6 4.6 0 0 1 3 4",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon beside a text with the same meaning. It is hidden from assistive technology. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
