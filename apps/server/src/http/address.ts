import type { Request } from "express";
import { ipKeyGenerator } from "express-rate-limit";

/** A customer's network: its owner can use any address in it (RFC 6177). */
const IPV6_PREFIX_LENGTH = 64;
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;
const MAX_CACHED = 10_000;

/** `ipKeyGenerator` needs 15 µs for an IPv6 address, a tenth of what a ping costs. */
const networks = new Map<string, string>();

/**
 * The address by which requests and connections are counted: an IPv4 address, or the /64 of an IPv6 address. It is
 * `undefined` for loopback, which limits per address do not apply to: all local clients share it.
 */
export function addressOf({ ip = "" }: Request): string | undefined {
  if (LOOPBACK.test(ip)) return undefined;
  const known = networks.get(ip);
  if (known !== undefined) return known;
  if (networks.size >= MAX_CACHED) networks.clear();
  const network = ipKeyGenerator(ip, IPV6_PREFIX_LENGTH);
  networks.set(ip, network);
  return network;
}
