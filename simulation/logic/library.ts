// First: the library refers to the globals of Redis Functions.
import "../redis/function-calls.ts";
import * as functions from "../../gears/src/redis-functions.ts";

/** The functions of the presence library, as they are registered in Redis without `presence_` before their names. */
export const library = functions;

export type FunctionName = keyof typeof functions;
