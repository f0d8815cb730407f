/** Longer texts are cut: a line of the log is to be read. */
const MAX_TEXT_LENGTH = 500;
const MAX_STACK_LENGTH = 2_000;
/** What no one can see, or a terminal may obey. */
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/**
 * Makes a logger of pino write lines that can be read: texts of bounded length that any terminal may show, and
 * of errors what an operator needs. An error of Redis holds the command that it answers, with all its arguments, and
 * these may be secrets.
 */
export const readableLog = {
  formatters: { log: readableFields },
  // Pino would take what has been made of an error for another one.
  serializers: { err: (error: unknown) => error },
};

function readableFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, readable(name, value)]));
}

function readable(name: string, value: unknown): unknown {
  if (value instanceof Error) return readableError(value);
  if (typeof value === "string") return readableText(value);
  // Whatever was thrown.
  return name === "err" ? readableText(String(value)) : value;
}

function readableError(error: Error): Record<string, unknown> {
  const { name, message, stack = "", cause } = error;
  return {
    type: name,
    message: readableText(message),
    ...("code" in error && { code: readableText(String(error.code)) }),
    ...(cause !== undefined && { cause: readableText(cause instanceof Error ? cause.message : String(cause)) }),
    stack: readableText(stack, MAX_STACK_LENGTH),
  };
}

function readableText(text: string, maxLength = MAX_TEXT_LENGTH): string {
  const start = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return start.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
