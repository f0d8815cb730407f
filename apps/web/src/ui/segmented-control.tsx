import { type ReactNode, useId } from "react";
import "./segmented-control.css";

interface Choice<Value> {
  value: Value;
  label: ReactNode;
  /** A tooltip. */
  title?: string;
}

interface SegmentedControlProps<Value> {
  /** The group's accessible name. */
  legend: string;
  choices: readonly Choice<Value>[];
  value: NoInfer<Value>;
  onChange(value: NoInfer<Value>): void;
  /** `icon`: square segments for icons. */
  size?: "text" | "icon";
}

/** A group of radio buttons in one row. */
export function SegmentedControl<Value extends string>(props: SegmentedControlProps<Value>) {
  const { legend, choices, value, onChange, size = "text" } = props;
  const name = useId();

  return (
    <fieldset className={`segmented-control segmented-control--${size}`}>
      <legend className="visually-hidden">{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value} className="segmented-control__choice" title={choice.title}>
          <input
            className="visually-hidden"
            type="radio"
            name={name}
            checked={choice.value === value}
            onChange={() => onChange(choice.value)}
          />
          {choice.label}
        </label>
      ))}
    </fieldset>
  );
}
