import { describe } from "vitest";
import { contactStoreContract } from "./contact-store.contract.ts";
import { MemoryContactStore } from "./memory-contact-store.ts";

describe("MemoryContactStore", () => {
  contactStoreContract((documents) => Promise.resolve(new MemoryContactStore(documents)));
});
