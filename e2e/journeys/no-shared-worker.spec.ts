import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test("a browser without shared workers opens one connection per tab", async ({ context, server }) => {
  await context.addInitScript(() => Reflect.deleteProperty(globalThis, "SharedWorker"));
  const anouk = await ClientPage.open(context, "anouk");
  const magali = await ClientPage.open(context, "magali");
  await anouk.sees("magali", "ONLINE");
  await magali.sees("anouk", "ONLINE");

  await magali.close();
  await anouk.sees("magali", "OFFLINE");
  expect(await server.metric("presence_connected_clients")).toBe(1);
});
