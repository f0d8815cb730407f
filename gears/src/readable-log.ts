/** Longer texts are truncated. */
const MAX_TEXT_LENGTH = 500;
const MAX_STACK_LENGTH = 2_000;
/** Invisible characters, and control characters that a terminal may execute. */
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/**
 * Options that make pino write readable lines: texts of limited length without control characters, and only the useful
 * fields of an error. An error of ioredis also contains its command with all arguments, which may be secrets.
 */
export const readableLog = {
  formatters: { log: readableFields },
  // Without this serializer, pino would serialize the result of `readableError` again.
  serializers: { err: (error: unknown) => error },
};

function readableFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, readable(name, value)]));
}

function readable(name: string, value: unknown): unknown {
  if (value instanceof Error) return readableError(value);
  if (typeof value === "string") return readableText(value);
  // A thrown value is not always an error.
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
  const truncated = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return truncated.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
