import { expect, it } from "vitest";
import { readAudit } from "./advisories.mjs";

function audit(vulnerabilities: object): string {
  return `npm warn something\n${JSON.stringify({ auditReportVersion: 2, vulnerabilities })}\nnpm error something else`;
}

it("is content where nothing is known, or nothing bad", () => {
  expect(readAudit(audit({}))).toEqual({ holes: [] });
  expect(readAudit(audit({ ms: { name: "ms", severity: "moderate", range: "<2" } }))).toEqual({ holes: [] });
});

it("names packages with bad holes", () => {
  const vulnerabilities = {
    ms: { name: "ms", severity: "high", range: "<2.0.0" },
    qs: { name: "qs", severity: "critical", range: "*" },
  };
  expect(readAudit(audit(vulnerabilities))).toEqual({ holes: ["ms <2.0.0: high", "qs *: critical"] });
});

it("does not take a registry that doesn't answer for one that knows of nothing", () => {
  expect(readAudit('npm warn audit 405\n{"message":"405 Method Not Allowed","statusCode":405}\nnpm error')).toEqual({
    unknown: "405 Method Not Allowed",
  });
  expect(readAudit("npm error code ENOTFOUND\nnpm error more")).toEqual({ unknown: "npm error code ENOTFOUND" });
  expect(readAudit("")).toEqual({ unknown: "npm audit says nothing" });
});
