import { expect, it } from "vitest";
import { describeAdvisories } from "./advisories.mjs";

function audit(vulnerabilities: object): string {
  return `npm warn something\n${JSON.stringify({ auditReportVersion: 2, vulnerabilities })}\nnpm error something else`;
}

it("passes without vulnerabilities, and with ones of low severity", () => {
  expect(describeAdvisories(audit({}))).toMatchObject({ exitStatus: 0 });
  expect(describeAdvisories(audit({ ms: { name: "ms", severity: "moderate", range: "<2" } }))).toMatchObject({
    exitStatus: 0,
  });
});

it("fails with the names of packages with severe vulnerabilities", () => {
  const vulnerabilities = {
    ms: { name: "ms", severity: "high", range: "<2.0.0" },
    qs: { name: "qs", severity: "critical", range: "*" },
  };
  expect(describeAdvisories(audit(vulnerabilities))).toEqual({
    text: "ms <2.0.0: high\nqs *: critical",
    exitStatus: 1,
  });
});

it.each([
  ['npm warn audit 405\n{"message":"405 Method Not Allowed","statusCode":405}\nnpm error', "405 Method Not Allowed"],
  ["npm error code ENOTFOUND\nnpm error more", "npm error code ENOTFOUND"],
  ["", "npm audit printed nothing"],
])("does not pass if the registry gives no answer: %j", (output, reason) => {
  expect(describeAdvisories(output)).toEqual({ text: `The registry did not answer: ${reason}`, exitStatus: 2 });
});
