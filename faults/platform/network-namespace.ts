import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { onTestFinished } from "vitest";

/** A MAC address that no interface has. */
const UNUSED_MAC = "02:00:00:00:00:01";

/** Why network namespaces are not available here; `undefined` if they are. */
export function networkProblem(): string | undefined {
  if (process.platform !== "linux") return "only Linux has network namespaces";
  if (process.getuid?.() !== 0) return "only root may create network namespaces";
  try {
    ip("netns", "list");
    return undefined;
  } catch {
    return "there is no ip command (on Debian: apt-get install iproute2)";
  }
}

/**
 * A network namespace that is connected to the host by one virtual cable. It is removed with its test.
 *
 * @see https://man7.org/linux/man-pages/man7/network_namespaces.7.html
 */
export class NetworkNamespace {
  /** Address of the host, seen from inside. */
  readonly hereAddress: string;
  /** Address of the inside, seen from the host. */
  readonly insideAddress: string;
  readonly #name: string;

  private constructor(name: string, subnet: string) {
    this.#name = name;
    this.hereAddress = `${subnet}.1`;
    this.insideAddress = `${subnet}.2`;
  }

  static create(): NetworkNamespace {
    const id = randomInt(0x10000).toString(16).padStart(4, "0");
    const network = new NetworkNamespace(`presence-${id}`, `10.203.${randomInt(256)}`);
    const remove = () => network.#remove();
    process.once("exit", remove);
    onTestFinished(() => {
      process.off("exit", remove);
      remove();
    });
    network.#create();
    return network;
  }

  /** Prefix of a command that is to run inside. */
  get wrapper(): readonly string[] {
    return ["ip", "netns", "exec", this.#name];
  }

  /** Simulates network loss: each side sends to a MAC address that no interface has, so every packet is lost silently. */
  cut(): void {
    ip("neigh", "replace", this.insideAddress, "lladdr", UNUSED_MAC, "dev", this.#here, "nud", "permanent");
    this.#ipInside("neigh", "replace", this.hereAddress, "lladdr", UNUSED_MAC, "dev", this.#inside, "nud", "permanent");
  }

  restore(): void {
    ip("neigh", "del", this.insideAddress, "dev", this.#here);
    this.#ipInside("neigh", "del", this.hereAddress, "dev", this.#inside);
  }

  get #here(): string {
    return `${this.#name}-a`;
  }

  get #inside(): string {
    return `${this.#name}-b`;
  }

  #create(): void {
    ip("netns", "add", this.#name);
    ip("link", "add", this.#here, "type", "veth", "peer", "name", this.#inside, "netns", this.#name);
    ip("addr", "add", `${this.hereAddress}/24`, "dev", this.#here);
    ip("link", "set", this.#here, "up");
    this.#ipInside("addr", "add", `${this.insideAddress}/24`, "dev", this.#inside);
    this.#ipInside("link", "set", this.#inside, "up");
    this.#ipInside("link", "set", "lo", "up");
  }

  #remove(): void {
    try {
      ip("netns", "del", this.#name);
    } catch {
      // It does not exist.
    }
  }

  #ipInside(...args: readonly string[]): void {
    ip("-n", this.#name, ...args);
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
