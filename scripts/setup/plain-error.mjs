/** An error whose message tells the user what is wrong and what to do. It is printed without a stack. */
export class PlainError extends Error {}
