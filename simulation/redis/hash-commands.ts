import { type CommandTable, growingWrite, pairsOf, readCommand, shrinkingWrite } from "./command.ts";
import { parseInteger, ReplyError } from "./reply.ts";
import { count } from "./string-commands.ts";

export const HASH_COMMANDS: CommandTable = {
  HGET: readCommand(2, ({ keyspace }, [key = "", field = ""]) => keyspace.get("hash", key)?.get(field) ?? null),

  HMGET: readCommand(-2, ({ keyspace }, [key = "", ...fields]) => {
    const hash = keyspace.get("hash", key);
    return fields.map((field) => hash?.get(field) ?? null);
  }),

  HSET: growingWrite(-3, ({ keyspace }, [key = "", ...rest]) => {
    if (rest.length % 2 === 1) throw new ReplyError("ERR wrong number of arguments for 'hset' command");
    const hash = keyspace.getOrCreate("hash", key);
    const before = hash.size;
    for (const [field, value] of pairsOf(rest)) hash.set(field, value);
    return hash.size - before;
  }),

  HSETNX: growingWrite(3, ({ keyspace }, [key = "", field = "", value = ""]) => {
    const hash = keyspace.getOrCreate("hash", key);
    if (hash.has(field)) return 0;
    hash.set(field, value);
    return 1;
  }),

  HINCRBY: growingWrite(3, ({ keyspace }, [key = "", field = "", by]) => {
    const increment = parseInteger(by);
    const old = keyspace.get("hash", key)?.get(field);
    if (old !== undefined && !/^-?[0-9]+$/.test(old)) throw new ReplyError("ERR hash value is not an integer");
    const value = Number(old ?? "0") + increment;
    keyspace.getOrCreate("hash", key).set(field, String(value));
    return value;
  }),

  HDEL: shrinkingWrite(-2, ({ keyspace }, [key = "", ...fields]) => {
    const hash = keyspace.get("hash", key);
    const deleted = count(fields, (field) => hash?.delete(field) === true);
    keyspace.removeIfEmpty(key);
    return deleted;
  }),

  HEXISTS: readCommand(2, ({ keyspace }, [key = "", field = ""]) =>
    keyspace.get("hash", key)?.has(field) === true ? 1 : 0,
  ),

  HKEYS: readCommand(1, ({ keyspace }, [key = ""]) => [...(keyspace.get("hash", key)?.keys() ?? [])]),

  HLEN: readCommand(1, ({ keyspace }, [key = ""]) => keyspace.get("hash", key)?.size ?? 0),

  HGETALL: readCommand(1, ({ keyspace }, [key = ""]) => [...(keyspace.get("hash", key) ?? [])].flat()),
};
