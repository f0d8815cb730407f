/** What tests and benchmarks use to start real servers and Redis processes, and to read event streams. */
export { type Certificate, makeCertificate } from "./certificate.ts";
export {
  type EventStreamHandlers,
  type EventStreamRequest,
  readEventStream,
  requestEventStream,
} from "./event-stream.ts";
export { findFreePort } from "./free-port.ts";
export { type LogLine, NodeProgram, type NodeProgramOptions } from "./node-program.ts";
export { median, percentile } from "./percentile.ts";
export { PresenceServer, type PresenceServerOptions } from "./presence-server.ts";
export { RedisCluster, type RedisClusterOptions } from "./redis-cluster.ts";
export { RedisServer, type RedisServerOptions } from "./redis-server.ts";
export { SentinelGroup } from "./sentinel-group.ts";
export { ServerProcess, type ServerProcessOptions } from "./server-process.ts";
export { TriggerHost, type TriggerHostOptions } from "./trigger-host.ts";
export { waitFor } from "./wait-for.ts";
