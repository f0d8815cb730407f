const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
/** One of several, without a database: a cluster has one alone. */
const CLUSTER_NODE = /^rediss?:\/\/[^/?#]+\/?$/;
/** `redis+sentinel://[user:password@]host[:port],…/name`, which no URL parser knows: it has several hosts. */
const SENTINELS =
  /^redis\+sentinel:\/\/(?:(?<user>[^:@/]*):(?<password>[^@/]*)@)?(?<hosts>[^@/?#]+)\/(?<name>[\w.-]+)$/;

/** What `REDIS_URL` may be, in words. */
export const REDIS_URLS_ALLOWED =
  "the redis:// or rediss:// URL of one Redis, those of several nodes of a cluster by commas, or redis+sentinel://host:port,…/name of what Sentinels watch";

/** Where a Redis is to be found. */
export type RedisAddress =
  | { kind: "one"; url: string }
  | {
      /** Sentinels tell which Redis of the group is the primary now. */
      kind: "sentinels";
      sentinels: { host: string; port: number }[];
      /** What the group is called there. */
      name: string;
      username?: string;
      password?: string;
    }
  | {
      /** A cluster, whose nodes know each other: it is enough to know some of them. */
      kind: "cluster";
      nodes: RedisNode[];
      /** Whether its nodes are to be spoken to by TLS. */
      isSecure: boolean;
      username?: string;
      password?: string;
    };

/** Where one Redis of several listens. */
export interface RedisNode {
  host: string;
  port: number;
}

/** @returns `undefined` where the text names no Redis */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const groups = SENTINELS.exec(text)?.groups;
  if (groups) return parseSentinels(groups);
  if (text.includes(",")) return parseCluster(text.split(","));
  const isOneRedis = URL.canParse(text) && /^rediss?:\/\/[^,]+$/.test(text);
  return isOneRedis ? { kind: "one", url: text } : undefined;
}

/** What a Redis is called in messages: no password is in it. */
export function describeRedisAddress(text: string): string {
  const address = parseRedisAddress(text);
  if (address?.kind === "sentinels")
    return `${address.name} of ${address.sentinels.map(({ host, port }) => `${host}:${port}`).join(", ")}`;
  if (address?.kind === "cluster") return address.nodes.map(({ host, port }) => `${host}:${port}`).join(", ");
  return URL.canParse(text) ? new URL(text).host : text;
}

function parseSentinels(groups: Record<string, string | undefined>): RedisAddress | undefined {
  const { user = "", password = "", hosts = "", name = "" } = groups;
  const sentinels = hosts.split(",").map(parseHost);
  if (sentinels.includes(undefined)) return undefined;
  return {
    kind: "sentinels",
    sentinels: sentinels.filter((sentinel) => sentinel !== undefined),
    name,
    ...(user !== "" && { username: decodeURIComponent(user) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
  };
}

/** All nodes have the same users, and those of the first URL count. */
function parseCluster(urls: readonly string[]): RedisAddress | undefined {
  const areNodes = urls.every((url) => CLUSTER_NODE.test(url) && URL.canParse(url));
  const [first] = urls;
  if (!areNodes || first === undefined) return undefined;
  const { protocol, username, password } = new URL(first);
  if (!urls.every((url) => new URL(url).protocol === protocol)) return undefined;
  return {
    kind: "cluster",
    nodes: urls.map((url) => {
      const { hostname, port } = new URL(url);
      return { host: withoutBrackets(hostname), port: port === "" ? REDIS_PORT : Number(port) };
    }),
    isSecure: protocol === "rediss:",
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
  };
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function parseHost(text: string): { host: string; port: number } | undefined {
  if (!/^(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?$/.test(text) || !URL.canParse(`redis://${text}`)) return undefined;
  const { hostname, port } = new URL(`redis://${text}`);
  return { host: withoutBrackets(hostname), port: port === "" ? SENTINEL_PORT : Number(port) };
}
