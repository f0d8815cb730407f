export * from "./api.ts";
export * from "./client-id.ts";
export * from "./event-id.ts";
export * from "./messages.ts";
export * from "./presence.ts";
export * from "./problem.ts";
export * from "./profile.ts";
export * from "./redis-keys.ts";
