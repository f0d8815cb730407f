import { createConnection as connectByTcp } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectByTls } from "node:tls";
import { AbstractConnector, type RedisOptions } from "ioredis";
import { type ClusterAddress, primaryOf, serverNameOf } from "./cluster-map.ts";
import { RETRY_MS } from "./pace.ts";
import type { RedisNode } from "./redis-address.ts";

type Stream = Awaited<ReturnType<AbstractConnector["connect"]>>;

/** How long a connection may take to close, in ms. */
const DISCONNECT_TIMEOUT_MS = 2_000;

/**
 * An ioredis connector that connects to the current primary of a slot. It looks the primary up for each connection.
 *
 * @param slot if omitted, any primary
 */
export function clusterConnector(
  address: ClusterAddress,
  slot: number | undefined,
): NonNullable<RedisOptions["Connector"]> {
  return class extends AbstractConnector {
    constructor() {
      super(DISCONNECT_TIMEOUT_MS);
    }

    override async connect(emit: (type: string, error: Error) => void): Promise<Stream> {
      this.connecting = true;
      const { host, port } = await this.#findPrimary((error) => emit("error", error));
      this.stream = address.isSecure
        ? connectByTls({ host, port, ...serverNameOf(host) })
        : connectByTcp({ host, port });
      this.stream.once("error", (error) => {
        this.firstError = error;
      });
      return this.stream;
    }

    /** Retries until a node knows the primary. ioredis would not retry after an error of `connect`. */
    async #findPrimary(onFailure: (error: Error) => void): Promise<RedisNode> {
      while (this.connecting) {
        try {
          return await primaryOf(address, slot);
        } catch (error) {
          if (this.connecting && error instanceof Error) onFailure(error);
          await delay(RETRY_MS);
        }
      }
      throw new Error("the connection was closed while its primary was looked up");
    }
  };
}
