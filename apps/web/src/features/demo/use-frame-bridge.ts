import type { ClientId } from "@presence/protocol";

export function useFrameBridge(_isFrame: boolean, _client: ClientId, _commands: object): void {}
