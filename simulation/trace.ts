/** What happened in a schedule, as a Mermaid sequence diagram. */
export class Trace {
  readonly #lines: string[] = [];
  readonly #nowMs: () => number;

  /** @param nowMs virtual time, in ms since the schedule began */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  message(from: string, to: string, text: string): void {
    this.#lines.push(`  ${from}->>${to}: ${this.#nowMs()} ms: ${text}`);
  }

  note(at: string, text: string): void {
    this.#lines.push(`  Note over ${at}: ${this.#nowMs()} ms: ${text}`);
  }

  toString(): string {
    return ["sequenceDiagram", ...this.#lines].join("\n");
  }
}
