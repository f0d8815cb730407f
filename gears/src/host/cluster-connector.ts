import { createConnection as connectByTcp } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectByTls } from "node:tls";
import { AbstractConnector, type RedisOptions } from "ioredis";
import { type ClusterAddress, primaryOf, serverNameOf } from "./cluster-map.ts";
import { RETRY_MS } from "./pace.ts";
import type { RedisNode } from "./redis-address.ts";

type Stream = Awaited<ReturnType<AbstractConnector["connect"]>>;

/** How long a connection that is ended may take to say goodbye, in ms. */
const FAREWELL_MS = 2_000;

/**
 * What finds the primary of a slot each time a connection is made, as ioredis wants it: a connection to the slot is one to
 * whichever node has it now.
 *
 * @param slot any primary will do where it is left out
 */
export function clusterConnector(
  address: ClusterAddress,
  slot: number | undefined,
): NonNullable<RedisOptions["Connector"]> {
  return class extends AbstractConnector {
    constructor() {
      super(FAREWELL_MS);
    }

    override async connect(emit: (type: string, error: Error) => void): Promise<Stream> {
      this.connecting = true;
      const { host, port } = await this.#untilFound((error) => emit("error", error));
      this.stream = address.isSecure
        ? connectByTls({ host, port, ...serverNameOf(host) })
        : connectByTcp({ host, port });
      this.stream.once("error", (error) => {
        this.firstError = error;
      });
      return this.stream;
    }

    /** Asks until some node can tell: the library takes an attempt that fails here for the last one. */
    async #untilFound(onFailure: (error: Error) => void): Promise<RedisNode> {
      while (this.connecting) {
        try {
          return await primaryOf(address, slot);
        } catch (error) {
          if (this.connecting && error instanceof Error) onFailure(error);
          await delay(RETRY_MS);
        }
      }
      throw new Error("the connection was ended meanwhile");
    }
  };
}
