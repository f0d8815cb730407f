const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
/** The URL of a cluster node: without a database number, because a cluster has only one database. */
const CLUSTER_NODE = /^rediss?:\/\/[^/?#]+\/?$/;
/** `redis+sentinel://[user:password@]host[:port],…/name`. URL parsers reject it, because it has several hosts. */
const SENTINELS =
  /^redis\+sentinel:\/\/(?:(?<user>[^:@/]*):(?<password>[^@/]*)@)?(?<hosts>[^@/?#]+)\/(?<name>[\w.-]+)$/;

/** The allowed values of `REDIS_URL`, for error messages. */
export const REDIS_URLS_ALLOWED =
  "the redis:// or rediss:// URL of one Redis, the URLs of several nodes of a cluster separated by commas, or redis+sentinel://host:port,…/name";

/** The parsed value of `REDIS_URL`. */
export type RedisAddress =
  | { kind: "one"; url: string }
  | {
      /** The Sentinels know the current primary. */
      kind: "sentinels";
      sentinels: { host: string; port: number }[];
      /** The name of the monitored primary in the Sentinels' configuration. */
      name: string;
      username?: string;
      password?: string;
    }
  | {
      /** Some nodes of the cluster are enough, because each node knows all others. */
      kind: "cluster";
      nodes: RedisNode[];
      /** Whether connections use TLS. */
      isSecure: boolean;
      username?: string;
      password?: string;
    };

/** The address of one Redis process. */
export interface RedisNode {
  host: string;
  port: number;
}

/** @returns `undefined` if the text is not a valid `REDIS_URL` */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const groups = SENTINELS.exec(text)?.groups;
  if (groups) return parseSentinels(groups);
  if (text.includes(",")) return parseCluster(text.split(","));
  const isOneRedis = URL.canParse(text) && /^rediss?:\/\/[^,]+$/.test(text);
  return isOneRedis ? { kind: "one", url: text } : undefined;
}

/** A description for messages, without the password. */
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

/** Takes the user and password of the first URL, because all nodes of a cluster have the same users. */
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
