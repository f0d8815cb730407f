import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { onTestFinished } from "vitest";

/** An address that no one on the link has. */
const NOBODY = "02:00:00:00:00:01";

/** Why no network can be made here, in words; `undefined` where one can. */
export function networkProblem(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "only root may make network namespaces";
  try {
    ip("netns", "list");
    return undefined;
  } catch {
    return "there is no ip command (on Debian: apt-get install iproute2)";
  }
}

/**
 * A network beside this machine's own, with one cable between them. It goes with its test.
 *
 * Source: https://man7.org/linux/man-pages/man7/network_namespaces.7.html
 */
export class Network {
  /** By which who is inside reaches this machine. */
  readonly hereAddress: string;
  /** By which this machine reaches who is inside. */
  readonly insideAddress: string;
  readonly #name: string;

  private constructor(name: string, subnet: string) {
    this.#name = name;
    this.hereAddress = `${subnet}.1`;
    this.insideAddress = `${subnet}.2`;
  }

  static make(): Network {
    const id = randomInt(0x10000).toString(16).padStart(4, "0");
    const network = new Network(`presence-${id}`, `10.203.${randomInt(256)}`);
    const remove = () => network.#remove();
    process.once("exit", remove);
    onTestFinished(() => {
      process.off("exit", remove);
      remove();
    });
    network.#make();
    return network;
  }

  /** What to put before a command to run it inside. */
  get within(): readonly string[] {
    return ["ip", "netns", "exec", this.#name];
  }

  /** All that is sent from now on is lost, both ways, and no one is told: each side takes the other for somebody else. */
  cut(): void {
    ip("neigh", "replace", this.insideAddress, "lladdr", NOBODY, "dev", this.#here, "nud", "permanent");
    this.#ipInside("neigh", "replace", this.hereAddress, "lladdr", NOBODY, "dev", this.#inside, "nud", "permanent");
  }

  mend(): void {
    ip("neigh", "del", this.insideAddress, "dev", this.#here);
    this.#ipInside("neigh", "del", this.hereAddress, "dev", this.#inside);
  }

  get #here(): string {
    return `${this.#name}-a`;
  }

  get #inside(): string {
    return `${this.#name}-b`;
  }

  #make(): void {
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
      // It was never made.
    }
  }

  #ipInside(...args: readonly string[]): void {
    ip("-n", this.#name, ...args);
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
