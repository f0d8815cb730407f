import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";

const INJECTED_NAME = `<img src=x onerror="globalThis.isInjected=true">`;
const INJECTED_ROLE = `<script>globalThis.isInjected=true</script>`;
const INJECTED_TIME_ZONE = `"><svg onload="globalThis.isInjected=true">`;

function documentOf(id: string, contacts: readonly string[]): string {
  return JSON.stringify({ id, name: INJECTED_NAME, role: INJECTED_ROLE, timeZone: INJECTED_TIME_ZONE, contacts });
}

test("HTML in a profile is shown as text", async ({ context, redis, servers }) => {
  const [first, second] = servers;
  await redis.cli("SET", "contact:eve", documentOf("eve", ["mallory"]));
  await redis.cli("SET", "contact:mallory", documentOf("mallory", ["eve"]));
  const eve = await ClientPage.open(context, "eve", first.url);
  await eve.sees("mallory", "OFFLINE");
  await ClientPage.open(context, "mallory", second.url);
  await eve.sees("mallory", "ONLINE");

  await expect(eve.contact("mallory")).toContainText(INJECTED_NAME);
  await expect(eve.contact("mallory")).toContainText(INJECTED_ROLE);
  await expect(eve.activityOf("mallory")).toContainText(INJECTED_NAME);
  await eve.contact("mallory").getByRole("button").first().click();
  await expect(eve.page.getByRole("dialog")).toContainText(INJECTED_NAME);
  for (const element of ["img", "body script", "svg[onload]", "[onerror]"]) {
    await expect(eve.page.locator(element)).toHaveCount(0);
  }
  expect(await eve.page.evaluate(() => "isInjected" in globalThis)).toBe(false);
});

test.describe("a page with an injected script", () => {
  test.use({ expectedBrowserErrors: [/Content Security Policy/] });

  test("does not run it", async ({ context, servers }) => {
    const [first] = servers;
    const anouk = await ClientPage.open(context, "anouk", first.url);
    const violations = anouk.page.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const violated: string[] = [];
          document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
            violated.push(effectiveDirective);
            if (violated.length === 3) resolve(violated.sort());
          });
          const script = document.createElement("script");
          script.textContent = "globalThis.isInjected = true";
          document.body.append(script);
          const image = document.createElement("div");
          image.innerHTML = `<img src="data:," onerror="globalThis.isInjected = true">`;
          document.body.append(image);
          const foreign = document.createElement("script");
          foreign.src = "http://127.0.0.1:9/foreign.js";
          document.body.append(foreign);
        }),
    );
    expect(await violations).toEqual(["script-src-attr", "script-src-elem", "script-src-elem"]);
    expect(await anouk.page.evaluate(() => "isInjected" in globalThis)).toBe(false);
  });
});
