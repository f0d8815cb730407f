import { type CommandTable, growingWrite, readCommand, shrinkingWrite } from "./command.ts";
import { parseInteger, ReplyError } from "./reply.ts";
import { count } from "./string-commands.ts";

export const SET_COMMANDS: CommandTable = {
  SADD: growingWrite(-2, ({ keyspace }, [key = "", ...members]) => {
    const set = keyspace.getOrCreate("set", key);
    const before = set.size;
    for (const member of members) set.add(member);
    return set.size - before;
  }),

  SREM: shrinkingWrite(-2, ({ keyspace }, [key = "", ...members]) => {
    const set = keyspace.get("set", key);
    const removed = count(members, (member) => set?.delete(member) === true);
    keyspace.removeIfEmpty(key);
    return removed;
  }),

  SMEMBERS: readCommand(1, ({ keyspace }, [key = ""]) => [...(keyspace.get("set", key) ?? [])]),

  SCARD: readCommand(1, ({ keyspace }, [key = ""]) => keyspace.get("set", key)?.size ?? 0),

  SISMEMBER: readCommand(2, ({ keyspace }, [key = "", member = ""]) =>
    keyspace.get("set", key)?.has(member) === true ? 1 : 0,
  ),

  SMISMEMBER: readCommand(-2, ({ keyspace }, [key = "", ...members]) => {
    const set = keyspace.get("set", key);
    return members.map((member) => (set?.has(member) === true ? 1 : 0));
  }),

  /** Redis takes members at random; nothing may depend on which. */
  SPOP: shrinkingWrite(2, ({ keyspace }, [key = "", limit]) => {
    const most = parseInteger(limit);
    if (most < 0) throw new ReplyError("ERR value is out of range, must be positive");
    const set = keyspace.get("set", key);
    const taken = [...(set ?? [])].slice(0, most);
    for (const member of taken) set?.delete(member);
    keyspace.removeIfEmpty(key);
    return taken;
  }),
};
